"""The official SDK's v3 Nano, on a model of its own format."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkpoint.v3_engine import cut_off, floats, invalid, loaded_sdk, missing, noise_clip, spoken
from checkpoint.v3_nano import pitch_of, speaker_pitch_hz, write_v3_nano

from vieneu_core.engines.base import EngineInfo
from vieneu_core.engines.sdk import SdkEngine
from vieneu_core.errors import ModelLoadError, SynthesisFailedError
from vieneu_core.synthesis import ReferenceAudio

SHORT = "Xin chào các bạn."
LONG = "Xin chào các bạn, hôm nay trời đẹp quá phải không nào các bạn ơi."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("v3") / "nano"
    write_v3_nano(folder)
    return folder


@pytest.fixture(scope="module")
def nano(made: Path) -> tuple[SdkEngine, EngineInfo]:
    return loaded_sdk({"mode": "v3nano", "model": str(made), "threads": 1})


def nano_pitch(engine: SdkEngine, text: str, voice: str | ReferenceAudio) -> float:
    return pitch_of(floats(b"".join(spoken(engine, text, voice))))


def test_nano_speaks_with_each_of_its_voices(nano: tuple[SdkEngine, EngineInfo]) -> None:
    engine, info = nano

    assert (info.model, info.sample_rate_hz, info.clones) == ("nano", 24_000, True)
    presets = presets_of_nano()
    assert info.voices[0].id == presets["default_voice"]
    assert {voice.id for voice in info.voices} == set(presets["presets"])
    for voice in info.voices:
        expected = speaker_pitch_hz(presets["presets"][voice.id]["speaker_emb"])
        assert nano_pitch(engine, SHORT, voice.id) == expected
    assert len({nano_pitch(engine, SHORT, voice.id) for voice in info.voices}) > 5


def presets_of_nano() -> dict[str, Any]:
    """What the SDK brings along."""
    import vieneu

    path = Path(vieneu.__file__).parent / "assets" / "voices_v3_nano.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_nano_speaks_longer_for_more_words(nano: tuple[SdkEngine, EngineInfo]) -> None:
    engine, info = nano
    short, long = (len(b"".join(spoken(engine, t, info.voices[0].id))) for t in (SHORT, LONG))

    assert long > 2 * short


def test_nano_clones(nano: tuple[SdkEngine, EngineInfo]) -> None:
    assert nano_pitch(nano[0], SHORT, noise_clip()) == speaker_pitch_hz([1.0] * 192)


def test_nano_with_a_seed_and_few_steps_speaks_too(made: Path) -> None:
    engine, info = loaded_sdk(
        {"mode": "v3nano", "model": str(made), "seed": 1, "steps": 2, "guidance": 0}
    )

    assert spoken(engine, SHORT, info.voices[0].id) == spoken(engine, SHORT, info.voices[0].id)


def test_nano_refuses_a_sentence_of_which_it_would_leave_something_out(tmp_path: Path) -> None:
    write_v3_nano(tmp_path, left_out="w")
    engine, info = loaded_sdk({"mode": "v3nano", "model": str(tmp_path)})

    assert spoken(engine, "Anh.", info.voices[0].id)
    with pytest.raises(SynthesisFailedError, match="no token for w"):
        spoken(engine, "Qua.", info.voices[0].id)


# The SDK leaves constants.npz open where it does not load.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("text_encoder.onnx", missing),
        ("vector_estimator.onnx", invalid),
        ("codec_decoder.onnx", cut_off),
        ("constants.npz", invalid),
        ("config.json", missing),
    ],
)
def test_nano_tells_a_file_that_is_missing_or_broken(
    made: Path, tmp_path: Path, file: str, damage: Callable[[Path], None]
) -> None:
    shutil.copytree(made, tmp_path / "nano")
    damage(tmp_path / "nano" / file)

    with pytest.raises(ModelLoadError, match="does not load"):
        loaded_sdk({"mode": "v3nano", "model": str(tmp_path / "nano")})
    gc.collect()  # told here, and not in a later test
