"""Files of the Speak page: texts in all languages, each used, and nothing from elsewhere."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from vieneu_colab_server import i18n
from vieneu_colab_server.i18n import section_texts
from vieneu_colab_server.relay.jobs.job import JobState, NoteKind
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_core.i18n import languages

FOLDER = Path(str(files("vieneu_colab_server.relay.pages.speak")))
PAGE = FOLDER / "index.html"
LANGUAGES = languages(i18n.__name__)
SCRIPTS = sorted([*FOLDER.glob("*.js"), *FOLDER.parent.glob("shared/*.js")])
CODE = "\n".join(path.read_text("utf-8") for path in [*SCRIPTS, PAGE])
MADE = {
    *(f"jobs.state_{state}" for state in (*JobState, "joining")),
    *(f"jobs.note_{kind}" for kind in NoteKind),
    *(f"jobs.{word}_{kind}" for kind in ScriptKind for word in ("hint", "unnamed")),
    *(f"jobs.{act}" for act in ("retry", "cancel", "remove")),
    *(f"sentence.{state}" for state in ("waiting", "speaking", "received")),
    *(f"sentence.{state}" for state in ("playing", "heard", "missing")),
    *(f"backend.{name}" for name in ("local", "remote", "last_resort")),
    *(f"{part}.title" for part in ("speak", "jobs")),
}
"""Keys that the code puts together."""
OF_OTHERS = {"format.ago", "format.decimal", "format.thousands"}
"""Formats of the core that this page does not use."""


def texts(language: str) -> dict[str, str]:
    return section_texts("speak")[language]["texts"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts_and_values(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert list(english) == list(other)
    values = re.compile(r"\{\w+\}")
    assert [
        key
        for key in english
        if sorted(values.findall(english[key])) != sorted(values.findall(other[key]))
    ] == []
    assert [key for key in english if not other[key].strip()] == []


def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    known = set(texts("en")) - OF_OTHERS
    quoted = {key for key in re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)?)"', CODE) if key in known}
    assert MADE - known == set()
    assert known - quoted - MADE == set()
    said = set(re.findall(r'(?:data-i18n(?:-label)?=|say\([^"]*?, |\bt\()"([^"]+)"', CODE))
    assert said - known == set()


@pytest.mark.parametrize("path", [PAGE, FOLDER / "page.css", *SCRIPTS], ids=lambda path: path.name)
def test_a_file_names_no_other_site_and_no_inline_code(path: Path) -> None:
    content = path.read_text("utf-8")
    addresses = re.findall(r"https?://[^\s\"']+", content)
    assert [one for one in addresses if not one.startswith("http://www.w3.org/")] == []
    assert not re.search(r"\son\w+=|<style|style=|innerHTML|\beval\(|javascript:", content)
    assert len(content.splitlines()) <= 300
