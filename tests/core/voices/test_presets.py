"""The voices that come with a model are read as they are, or it is said what is wrong in which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkpoint.presets import VOICES, write_presets

from vieneu_core.errors import ModelLoadError
from vieneu_core.voices import Voice
from vieneu_core.voices.presets import MOST_CODES, read_presets

PRESET = {"codes": [0, 65_535], "text": "Xin chào.", "description": "Giọng nữ"}


def written(folder: Path, layout: object) -> Path:
    path = folder / "voices.json"
    path.write_text(layout if isinstance(layout, str) else json.dumps(layout), "utf-8")
    return path


def test_every_preset_is_read_with_its_codes_and_what_is_said(tmp_path: Path) -> None:
    an, chi = read_presets(write_presets(tmp_path))

    assert an.voice == Voice(id="An", name="Giọng thử An", language="vi")
    assert chi.codes == tuple(VOICES["Chi"]["codes"])
    assert chi.transcript == "Hôm nay trời đẹp quá."


def test_the_default_comes_first_and_the_others_stay_in_order(tmp_path: Path) -> None:
    layout = {"default_voice": "C", "presets": dict.fromkeys("ABCD", PRESET), "version": 3}

    assert [p.voice.id for p in read_presets(written(tmp_path, layout))] == ["C", "A", "B", "D"]


def test_a_preset_without_a_description_goes_by_its_name(tmp_path: Path) -> None:
    layout = {"presets": {"An": {"codes": [1], "text": "Xin chào.", "gender": "f"}}}

    assert read_presets(written(tmp_path, layout))[0].voice.name == "An"


@pytest.mark.parametrize(
    ("preset", "field"),
    [
        ({**PRESET, "codes": [0.5]}, "codes"),
        ({**PRESET, "codes": [-1]}, "codes"),
        ({**PRESET, "codes": [65_536]}, "codes"),
        ({**PRESET, "codes": ["1"]}, "codes"),
        ({**PRESET, "codes": [True]}, "codes"),
        ({**PRESET, "codes": []}, "codes"),
        ({**PRESET, "codes": [1] * (MOST_CODES + 1)}, "codes"),
        ({**PRESET, "codes": None}, "codes"),
        ({**PRESET, "text": 7}, "text"),
        ({**PRESET, "text": "?!"}, "text"),
        ({"codes": [1]}, "text"),
    ],
)
def test_what_is_wrong_is_told_with_file_preset_and_field(
    tmp_path: Path, preset: object, field: str
) -> None:
    path = written(tmp_path, {"presets": {"An": PRESET, "Chi": preset}})

    with pytest.raises(ModelLoadError) as caught:
        read_presets(path)
    assert str(path) in caught.value.detail
    assert f"presets.Chi.{field}" in caught.value.detail
    assert "voices.json" in caught.value.remedy


@pytest.mark.parametrize("content", ["", "[]", "{", '{"presets": {}}', "[" * 100_000, "\x00"])
def test_what_is_no_such_file_is_a_named_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(ModelLoadError, match=r"voices\.json"):
        read_presets(written(tmp_path, content))


def test_a_missing_file_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="cannot be read"):
        read_presets(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("presets", "reported"),
    [({" ": PRESET}, "no name"), ({"An": PRESET, " An": PRESET}, "same name")],
)
def test_a_preset_without_a_name_of_its_own_is_refused(
    tmp_path: Path, presets: object, reported: str
) -> None:
    with pytest.raises(ModelLoadError, match=reported):
        read_presets(written(tmp_path, {"presets": presets}))


def test_blanks_around_the_name_of_the_default_do_not_matter(tmp_path: Path) -> None:
    layout = {"default_voice": " Chi\n", "presets": {"An": PRESET, "Chi ": PRESET}}

    assert [p.voice.id for p in read_presets(written(tmp_path, layout))] == ["Chi", "An"]
