from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from vieneu_core import errors
from vieneu_core.backends.base import BackendState
from vieneu_core.cli import app as cli_app
from vieneu_core.cli.exit_codes import ExitCode, exit_code, line
from vieneu_core.cli.words import WORDS, Language, Words, choose_language
from vieneu_core.doctor import Topic
from vieneu_core.error_words import VIETNAMESE
from vieneu_core.router import CircuitState

CLI = Path(cli_app.__file__).parent


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", WORDS)
def test_every_line_is_in_both_languages_with_the_same_values(key: str) -> None:
    english, vietnamese = WORDS[key]
    assert english.strip()
    assert vietnamese.strip()
    assert fields(english) == fields(vietnamese)


def test_every_key_that_the_code_uses_exists_and_every_key_is_used() -> None:
    code = "\n".join(path.read_text("utf-8") for path in CLI.glob("*.py") if path.stem != "words")
    code += (CLI / "words.py").read_text("utf-8").split("class Words")[1]
    used = set(re.findall(r"words\(\s*\"([a-z_]+)\"", code)) | set(
        re.findall(r"self\(\"([a-z_]+)\"", code)
    )
    assert used <= set(WORDS)
    families = ("backend_", "state_", "circuit_", "topic_", "absent_", "readable_")
    for key in WORDS:
        assert key.startswith(families) or f'"{key}"' in code, key
    for name in (*BackendState, *CircuitState):
        assert f"state_{name}" in WORDS or f"circuit_{name}" in WORDS
    assert {f"topic_{topic}" for topic in Topic} <= set(WORDS)


def test_every_error_has_a_vietnamese_title() -> None:
    codes = {
        cls.code for cls in errors.all_error_classes() if cls.__module__.startswith("vieneu_core")
    }
    assert codes == set(VIETNAMESE)


def test_an_error_is_one_line_whatever_a_server_wrote_into_it() -> None:
    error = errors.BadResponseError("first\nsecond \x1b[31mred", backend="remote")
    for language in Language:
        told = line(error, language)
        assert "\n" not in told
        assert "\x1b" not in told
    assert "Kiểm tra URL" in line(error, Language.VIETNAMESE)
    own = errors.EmptyTextError("Nothing.", remedy="Do this.")
    assert line(own, Language.VIETNAMESE).endswith("Nothing. Do this.")


def test_every_cause_is_told_in_both_languages() -> None:
    error = errors.AllBackendsFailedError(
        "Nobody spoke.", causes=(errors.TlsError("expired", backend="remote"),)
    )
    for language in Language:
        assert "remote: expired" in line(error, language)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsFileError("x"), ExitCode.CONFIGURATION),
        (errors.VoiceNotFoundError("x"), ExitCode.REQUEST),
        (errors.AuthenticationError("x"), ExitCode.AUTHENTICATION),
        (errors.TunnelOfflineError("x"), ExitCode.BACKEND),
        (errors.VieneuError("x"), ExitCode.UNEXPECTED),
    ],
)
def test_exit_codes_follow_the_kind_of_error(error: errors.VieneuError, code: ExitCode) -> None:
    assert exit_code(error) is code


def test_the_language_follows_the_option_then_the_locale() -> None:
    vi, en = Language.VIETNAMESE, Language.ENGLISH
    assert choose_language([], {"LANG": "vi_VN.UTF-8"}) is vi
    assert choose_language([], {"LANG": "vi_VN.UTF-8", "LC_ALL": "C"}) is en
    assert choose_language([], {}) is en
    assert choose_language(["say", "--lang", "vi"], {}) is vi
    assert choose_language(["say", "--lang=en"], {"LANG": "vi"}) is en
    assert choose_language(["say", "--", "--lang", "vi"], {}) is en


def test_numbers_and_times_are_written_as_people_write_them() -> None:
    english, vietnamese = Words(Language.ENGLISH), Words(Language.VIETNAMESE)
    assert english.number(12345.67, 1) == "12,345.7"
    assert vietnamese.number(12345.67, 1) == "12.345,7"
    assert english.duration(59.9) == "59 s"
    assert english.duration(3599) == "59 min"
    assert vietnamese.duration(8 * 3600 + 125) == "8 giờ 2 phút"


def test_a_bug_is_one_line_without_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(cli_app, "app", broken)
    assert cli_app.run(["mode"]) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown
    assert "VIENEU_DEBUG=1" in shown
    assert "secret" not in shown
    assert shown.count("\n") == 1
