"""What keeps the engine ``piper`` from loading is named: packages, options, files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from checkpoint.onnx_graph import INT64, save_graph
from checkpoint.piper_engine import loaded_piper
from checkpoint.piper_voice import write_voice
from engine_calls import quiet

from vieneu_core.engines.piper import create
from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.installation import extra_command


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return write_voice(tmp_path / "voice")


def test_a_missing_package_names_the_pip_line(monkeypatch: pytest.MonkeyPatch, voice: Path) -> None:
    monkeypatch.setitem(sys.modules, "piper", None)

    with pytest.raises(MissingExtraError) as caught:
        create({"voice": str(voice)}).load(quiet)

    assert caught.value.remedy == f"Install them: {extra_command('piper')}"


def test_espeak_without_its_data_ends_no_process(
    monkeypatch: pytest.MonkeyPatch, voice: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(import_module("piper"), "__file__", str(tmp_path / "__init__.py"))

    with pytest.raises(ModelLoadError, match="data of eSpeak NG are not in"):
        loaded_piper(voice)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"voice": ""}, "a known voice"),
        ({"voice": "nobody"}, "There is no model"),
        ({"voice": "vieneu-0.3b-q4"}, "no voice of Piper"),
        ({"voice": "a/b:c.gguf"}, "no voice of Piper"),
        ({"pitch": 3}, "It has: voice, speaker"),
        ({"length_scale": 0}, "from 0.25 to 4"),
        ({"threads": -1}, "0 for what ONNX Runtime finds best"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_right(
    wrong: dict[str, object], expected: str
) -> None:
    with pytest.raises(ModelLoadError) as caught:
        create(wrong).load(quiet)

    assert expected in f"{caught.value.detail} {caught.value.remedy}"


def spoiled_graph(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


def other_graph(path: Path) -> None:
    save_graph(
        path, [("Identity", "codes", "audio")], [("codes", INT64, [1])], [("audio", INT64, [1])], {}
    )


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (spoiled_graph, "ONNX Runtime says"),
        (other_graph, "It takes codes, but its configuration needs input, input_lengths, scales"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"<html>"), "is a web page"),
        (lambda path: path.write_bytes(b"version https://git-lfs"), "Git LFS did not fetch"),
        (lambda path: path.unlink(), "There is no file"),
    ],
)
def test_a_damaged_voice_is_named(
    tmp_path: Path, spoil: Callable[[Path], object], expected: str
) -> None:
    graph = write_voice(tmp_path)
    spoil(graph)

    with pytest.raises(ModelLoadError, match=expected):
        loaded_piper(graph)


def test_a_graph_for_several_speakers_does_not_fit_one(tmp_path: Path) -> None:
    graph = write_voice(tmp_path, speakers=("An", "Bình"), num_speakers=1, speaker_id_map={})

    with pytest.raises(ModelLoadError, match="It takes input, input_lengths, scales, sid, but"):
        loaded_piper(graph)


def test_an_unknown_voice_of_espeak_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"first word.*Failed to set voice: xx"):
        loaded_piper(write_voice(tmp_path, espeak="xx"))
