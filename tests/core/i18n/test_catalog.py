"""Messages by language: what a catalogue answers, and that all catalogues of the core agree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest
from cli_commands import loaded_root
from guard import GUARD_S

import vieneu_core
from vieneu_colab_server import colab
from vieneu_colab_server.middleware.shared_counts import RateStorageError
from vieneu_core.backends.base import BackendState
from vieneu_core.doctor import Topic
from vieneu_core.errors import VieneuError, all_error_classes
from vieneu_core.i18n import DEFAULT_LANGUAGE, Messages, best_language, languages
from vieneu_core.i18n.catalog import catalogue
from vieneu_core.notebook.failures import CODES, DRIVE_CAUSES, PIP_CAUSES
from vieneu_core.router import CircuitState, Mode

PACKAGE = Path(vieneu_core.__file__).parent
OTHERS = [language for language in languages() if language != DEFAULT_LANGUAGE]
ERRORS = {cls.code for cls in all_error_classes() if cls.__module__ == VieneuError.__module__}
SERVER_ERRORS = {
    cls.code
    for cls in all_error_classes()
    if cls.__module__.startswith(colab.__name__.partition(".")[0])
    and ".relay." not in cls.__module__
}
"""Of the server and its tunnels: the notebook shows them in its language."""
FAMILIES = {
    "cli.backend": [f"backend_{name}" for name in (*Mode, "last_resort")],
    "cli.state": [f"state_{state}" for state in BackendState],
    "cli.circuit": [f"circuit_{s}" for s in CircuitState if s is not CircuitState.CLOSED],
    "cli.topic": [f"topic_{topic}" for topic in Topic],
    "cli.absent": [
        f"absent_{topic}"
        for topic in Topic
        if topic not in {Topic.PYTHON, Topic.CORE, Topic.HARDWARE, Topic.LOCAL_ENGINE}
    ],
    "notebook": [
        *CODES,
        *(f"{code}_next" for code in CODES if code != "packages_install"),
        *(key for _, key in DRIVE_CAUSES),
        *(key for _, key in PIP_CAUSES),
        *(f"{key}_next" for _, key in PIP_CAUSES),
    ],
}
"""Keys that the code puts together."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def keys_in(pattern: str, *paths: Path) -> set[str]:
    text = "\n".join(path.read_text("utf-8") for path in paths)
    return {key for found in re.findall(pattern, text) for key in re.findall(r'"(\w+)"', found)}


def texts(language: str, section: str) -> dict[str, str]:
    """Return the texts of a section, without those of errors and help."""
    found = {key: text for key, text in catalogue(language).items() if key.startswith(section)}
    return {key: text for key, text in found.items() if not key.startswith("cli.help.")}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_keys_and_the_placeholders_of_english(language: str) -> None:
    english, other = catalogue(DEFAULT_LANGUAGE), catalogue(language)
    assert {key for key in other if not key.startswith(("errors.", "texts."))} == set(english)
    assert [key for key in other if not other[key].strip()] == []
    assert [k for k in english if placeholders(english[k]) != placeholders(other[k])] == []
    assert [k for k in texts(language, "notebook.") if english[k] == other[k]] == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_error_is_translated(language: str) -> None:
    titled = {key.split(".")[1] for key in catalogue(language) if key.endswith(".title")}
    assert titled == ERRORS | SERVER_ERRORS
    keys = {key for key in catalogue(language) if key.startswith("errors.")}
    assert {key.split(".", 2)[2] for key in keys} == {"title", "remedy"}
    without_remedy = {
        code for code in ERRORS | SERVER_ERRORS if f"errors.{code}.remedy" not in keys
    }
    assert without_remedy == {"missing_extra"}, "whose remedy is always its own"


def test_the_command_line_uses_every_message_and_has_every_message_that_it_uses() -> None:
    modules = list((PACKAGE / "cli").rglob("*.py"))
    called = keys_in(r'messages\(\s*(?:"\w+" if \w+ else )?"\w+"', *modules)
    # Rows and columns of tables stand in tuples and dictionaries of keys.
    quoted = keys_in(r'"\w+"', *modules)
    made = {key for name, keys in FAMILIES.items() if name.startswith("cli") for key in keys}
    existing = {key.removeprefix("cli.") for key in texts(DEFAULT_LANGUAGE, "cli.")}
    assert called - existing == set()
    assert made - existing == set()
    assert existing - quoted - made == set()


def test_the_notebook_uses_every_message_and_has_every_message_that_it_uses() -> None:
    template = PACKAGE / "notebook" / "notebook.ipynb.j2"
    said = keys_in(r"(?:say|field)\([^)]*\)", template) - {"_next"}  # which is put after a key
    keys = {key.removeprefix("notebook.") for key in texts(DEFAULT_LANGUAGE, "notebook.")}
    existing = {key for key in keys if not key.startswith("help.")}
    made = set(FAMILIES["notebook"])
    assert (said | made) - existing == set()
    assert existing - said - made == set()


def test_the_notebook_explains_each_code_that_its_cells_show() -> None:
    keys = {key.removeprefix("notebook.") for key in texts(DEFAULT_LANGUAGE, "notebook.")}
    explained = {key.removeprefix("help.") for key in keys if key.startswith("help.")}

    assert explained == {*CODES, *SERVER_ERRORS, "token_not_shown"} - {RateStorageError.code}


def test_a_locale_or_a_tag_finds_its_language() -> None:
    assert best_language("vi") == "vi"
    assert best_language("vi_VN.UTF-8") == "vi"
    assert best_language("vi-VN") == "vi"
    assert best_language("C.UTF-8") == "en"
    assert best_language("") == "en"
    assert best_language("xx") == "en"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("vi,en;q=0.8", "vi"),
        ("vi-VN,vi;q=0.9,en-US;q=0.8", "vi"),
        ("en;q=0.8, vi", "vi"),
        ("en;q=0.5,vi;q=0.9", "vi"),
        ("fr-FR,fr;q=0.9,vi;q=0.8", "vi"),
        ("fr, vi;q=0", "en"),
        ("en,vi", "en"),
        ("vi;q=high", "vi"),
        (" vi ; q=0.7 ", "vi"),
        ("*", "en"),
        (",;,=;q=", "en"),
        ("fr," * 10_000 + "vi", "en"),
    ],
)
def test_the_preferences_of_a_browser_are_weighed(wanted: str, language: str) -> None:
    assert best_language(wanted) == language


def test_numbers_and_durations_are_written_as_people_write_them() -> None:
    english, vietnamese = Messages("en"), Messages("vi")
    assert english.number(12345.67, 1) == "12,345.7"
    assert vietnamese.number(12345.67, 1) == "12.345,7"
    assert english.duration(59.9) == "59 s"
    assert english.duration(3599) == "59 min"
    assert english.duration(-3) == "0 s"
    assert vietnamese.duration(8 * 3600 + 125) == "8 giờ 2 phút"


def test_a_key_that_is_not_there_is_an_error_and_can_be_asked_for() -> None:
    messages = Messages("en", "cli")
    assert "saved" in messages
    assert "cli.saved" not in messages
    assert "cli.saved" in Messages("en")
    with pytest.raises(KeyError):
        messages("no_such_key")


def test_another_package_has_catalogues_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    for language, greeting in {"en": "Hello {name}", "de": "Hallo {name}"}.items():
        (package / f"{language}.json").write_text(json.dumps({"door": {"hello": greeting}}))
    monkeypatch.syspath_prepend(tmp_path)
    messages = Messages("de_AT", "door", package="shop")
    assert messages("hello", name="Ada") == "Hallo Ada"
    assert messages.number(1234.5, 1) == "1,234.5", "the core knows no German"
    assert Messages("vi", package="shop")("door.hello", name="Ada") == "Hello Ada"
    assert languages("shop") == ("de", "en")


def test_importing_reads_no_catalogue() -> None:
    code = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda e, a: opened.append(str(a[0])) if e == 'open' else None)\n"
        "import vieneu_core.i18n, vieneu_core.cli.commands.status\n"
        "sys.exit(any(name.endswith('.json') for name in opened))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=GUARD_S)
    assert done.returncode == 0


def test_every_text_of_help_is_used_and_none_is_missing() -> None:
    used: set[str] = set()

    class Noting(Messages):
        def __call__(self, key: str, **values: object) -> str:
            used.add(f"cli.{key}")
            return super().__call__(key, **values)

    loaded_root(Noting("vi", "cli"))
    assert used == {key for key in catalogue("vi") if key.startswith("cli.help.")}
