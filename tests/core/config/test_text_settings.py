"""Settings of the text: pauses by name or in seconds, and the path of the dictionary."""

from __future__ import annotations

from pathlib import Path

import pytest

from vieneu_core.audio.pauses import NATURAL_PAUSES, NO_PAUSES, Pauses
from vieneu_core.builder import RouterBuilder
from vieneu_core.config import Settings, load_settings, save_settings
from vieneu_core.errors import ConfigurationError, SettingsFileError


def pauses_of(tmp_path: Path, text: str) -> Pauses:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    settings = load_settings(path, {})
    return RouterBuilder(settings, state_dir=tmp_path).policy(settings).pauses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NATURAL_PAUSES),
        ("text:\n", NATURAL_PAUSES),
        ("text:\n  pauses:\n", NATURAL_PAUSES),
        ("text:\n  pauses: natural\n", NATURAL_PAUSES),
        ("text:\n  pauses: none\n", NO_PAUSES),
        (
            "text:\n  pauses:\n    sentence: 0.2\n    paragraph: 1\n",
            Pauses(clause_s=0.3, sentence_s=0.2, question_s=0.6, paragraph_s=1.0),
        ),
    ],
)
def test_pauses_are_named_or_given_in_seconds(tmp_path: Path, text: str, expected: Pauses) -> None:
    assert pauses_of(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("value", "field", "found", "remedy"),
    [
        ("loud", "text.pauses", "found 'loud'", "natural, none, or seconds"),
        ("0.5", "text.pauses", "found 0.5", "natural, none, or seconds"),
        ("{sentence: -1}", "text.pauses.sentence", "found -1", "from 0 to 2"),
        ("{sentence: 9}", "text.pauses.sentence", "found 9", "from 0 to 2"),
        ("{sentense: 1}", "text.pauses", "found 'sentense'", "Did you mean 'sentence'?"),
    ],
)
def test_a_wrong_pause_is_named_with_what_is_expected(
    tmp_path: Path, value: str, field: str, found: str, remedy: str
) -> None:
    with pytest.raises(SettingsFileError) as caught:
        pauses_of(tmp_path, f"text:\n  pauses: {value}\n")
    assert f"{field}" in caught.value.detail
    assert found in caught.value.detail
    assert remedy in caught.value.remedy


def test_settings_of_a_program_take_the_same_names() -> None:
    assert Settings.model_validate({"text": {"pauses": "none"}}).text.pauses.pauses() == NO_PAUSES
    with pytest.raises(ConfigurationError, match="pauses"):
        Settings.model_validate({"text": {"pauses": "loud"}})


async def test_the_dictionary_of_the_settings_is_the_routers(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("wifi = oai phai\n")
    path = tmp_path / "config.yaml"
    save_settings({"text.dictionary": str(tmp_path / "words.txt")}, path, {})
    settings = load_settings(path, {})
    router = RouterBuilder(settings, state_dir=tmp_path).router(settings)
    await router.reading.start()
    assert router.reading.now.dictionary.applied("Wifi") == "oai phai"
    await router.aclose()


def test_a_dictionary_in_the_home_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings.model_validate({"text": {"dictionary": "~/words.txt"}})
    router = RouterBuilder(settings, state_dir=tmp_path).router(settings)
    assert router.reading.file is not None
    assert router.reading.file.path == tmp_path / "words.txt"
