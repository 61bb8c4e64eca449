"""The official SDK's older modes themselves, on files of their formats: one codec, two models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from checkpoint.codec_graph import pitch_hz, pitches_of, voices_of, write_codec
from checkpoint.gguf_model import write_gguf
from checkpoint.onnx_graph import save_graph
from checkpoint.presets import VOICES, write_presets
from checkpoint.transformers_model import write_transformers
from checkpoint.v3_engine import LONG, SHORT, floats, loaded_sdk, missing, noise_clip, spoken
from llama_library import NEEDS_LLAMA_CPP
from numpy.typing import NDArray
from onnx import TensorProto

from vieneu_core.engines.sdk import SdkEngine
from vieneu_core.errors import ModelLoadError
from vieneu_core.synthesis import ReferenceAudio

_F, _I64 = TensorProto.FLOAT, TensorProto.INT64
_SAMPLES_PER_CODE = 480
_POSITIONS = {"An": 3.0, "Chi": 40.0}
_CLONED = 5.0
"""What the encoder hears in any clip."""


def sound(engine: SdkEngine, text: str, voice: str | ReferenceAudio) -> NDArray[np.float32]:
    return floats(b"".join(spoken(engine, text, voice))).astype(np.float32)


# --- turbo ---------------------------------------------------------------------------------


def write_turbo(folder: Path) -> dict[str, object]:
    """Write a model of the mode turbo; return options for it.

    A code is a tone, which the voice raises: by as many steps of 50 Hz as its numbers are large.
    """
    write_gguf(folder / "tiny.gguf", codes_per_token=1.0)
    presets = {
        name: {"codes": [position] * 128, "text": "", "description": name}
        for name, position in _POSITIONS.items()
    }
    layout = {"default_voice": "An", "presets": presets}
    (folder / "voices.json").write_text(json.dumps(layout), "utf-8")
    codec = folder / "codec"
    codec.mkdir()
    turn = np.arange(_SAMPLES_PER_CODE) * (2 * np.pi / _SAMPLES_PER_CODE)
    save_graph(
        codec / "vieneu_decoder.onnx",
        [
            ("Mod", "content_ids bank", "low"),
            ("Cast", "low", "step", {"to": _F}),
            ("ReduceMean", "voice_embedding", "place", {"axes": [1], "keepdims": 1}),
            ("Add", "step place", "cycles"),
            ("Unsqueeze", "cycles last", "each"),
            ("Mul", "each turn", "phase"),
            ("Sin", "phase", "sine"),
            ("Mul", "sine quarter", "frames"),
            ("Reshape", "frames flat", "audio"),
        ],
        [("content_ids", _I64, [1, "T"]), ("voice_embedding", _F, [1, 128])],
        [("audio", _F, [1, 1, "S"])],
        {
            "bank": np.array(64, np.int64),
            "last": np.array([2], np.int64),
            "turn": turn.astype(np.float32),
            "quarter": np.array(0.25, np.float32),
            "flat": np.array([1, 1, -1], np.int64),
        },
    )
    save_graph(
        codec / "vieneu_encoder.onnx",
        [
            ("ReduceMean", "waveform", "mean", {"axes": [1], "keepdims": 1}),
            ("Mul", "mean nothing", "blank"),
            ("Add", "blank row", "embedding"),
        ],
        [("waveform", _F, [1, "S"])],
        [("embedding", _F, [1, 128])],
        {"nothing": np.array(0, np.float32), "row": np.full((1, 128), _CLONED, np.float32)},
    )
    return {
        "mode": "turbo",
        "model": str(folder / "tiny.gguf"),
        "codec": str(codec),
        "device": "cpu",
        "threads": 1,
        "seed": 3,
        "offline": True,
    }


@NEEDS_LLAMA_CPP
def test_turbo_speaks_with_its_voices_and_longer_for_more_words(tmp_path: Path) -> None:
    engine, info = loaded_sdk(write_turbo(tmp_path))

    assert (info.model, info.sample_rate_hz) == ("tiny.gguf", 24_000)
    assert [voice.id for voice in info.voices] == ["An", "Chi"]
    for voice, position in _POSITIONS.items():
        short, long = (pitches_of(sound(engine, text, voice)) for text in (SHORT, LONG))
        assert short[:9] == [round(50 * (position + i)) for i in range(9)]
        assert len(long) > 2 * len(short)


# librosa asks a package that complains about its own age.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@NEEDS_LLAMA_CPP
def test_turbo_clones(tmp_path: Path) -> None:
    engine, info = loaded_sdk(write_turbo(tmp_path))

    assert info.clones
    assert pitches_of(sound(engine, SHORT, noise_clip()))[0] == 50 * _CLONED


@NEEDS_LLAMA_CPP
def test_turbo_tells_a_model_without_voices_or_decoder(tmp_path: Path) -> None:
    options = write_turbo(tmp_path)
    missing(tmp_path / "voices.json")
    with pytest.raises(ModelLoadError, match=r"missing 'voices\.json'"):
        loaded_sdk(options)
    missing(tmp_path / "codec" / "vieneu_decoder.onnx")
    with pytest.raises(ModelLoadError, match="does not load"):
        loaded_sdk(options)


# --- standard ------------------------------------------------------------------------------


def write_standard(folder: Path) -> dict[str, object]:
    """Write a model of the mode standard, and its codec as it lies in a cache; return options."""
    codec = folder / "cache" / "models--a--codec-onnx"
    snapshot = codec / "snapshots" / ("1" * 40)
    write_codec(snapshot / "model.onnx")
    (codec / "refs").mkdir()
    (codec / "refs" / "main").write_text(snapshot.name)
    write_transformers(folder / "model", codes_per_token=1.0)
    write_presets(folder / "model")
    return {
        "mode": "standard",
        "model": str(folder / "model"),
        "codec": "a/codec-onnx",
        "device": "cpu",
        "cache": str(folder / "cache"),
        "offline": True,
    }


@pytest.mark.slow  # loads PyTorch
@pytest.mark.filterwarnings("ignore")  # which complains about its own age
def test_standard_speaks_with_its_voices_and_needs_them_and_its_codec(tmp_path: Path) -> None:
    options = write_standard(tmp_path)
    engine, info = loaded_sdk(options)

    assert (info.model, info.sample_rate_hz, info.clones) == ("model", 24_000, False)
    assert [voice.id for voice in info.voices] == list(VOICES)
    for voice, preset in VOICES.items():
        short, long = (sound(engine, text, voice) for text in (SHORT, LONG))
        after = preset["codes"][-1] + 1
        # Only the start: this mode says 50 codes at least, whatever the model wants.
        assert pitches_of(short)[:9] == [pitch_hz(after + i & 0xFF) for i in range(9)]
        assert set(voices_of(long)) == {after >> 8}
        assert len(long) > 2 * len(short)

    missing(tmp_path / "model" / "voices.json")
    with pytest.raises(ModelLoadError, match=r"missing 'voices\.json'"):
        loaded_sdk(options)
    with pytest.raises(ModelLoadError, match="is not on this machine"):
        loaded_sdk(options | {"codec": "b/codec-onnx"})
