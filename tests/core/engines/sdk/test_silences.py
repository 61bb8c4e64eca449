"""What the official SDK passes over in silence, by name: an SDK stands in that does as it does."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from vieneu_core.engines.base import EngineInfo, EngineMemory, Utterance
from vieneu_core.engines.sdk import SdkEngine, create
from vieneu_core.errors import (
    DeviceMemoryError,
    MissingExtraError,
    ModelLoadError,
    ReferenceAudioError,
    SynthesisFailedError,
    VieneuError,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice

AN = Voice(id="An", name="An", language="vi")
BASE = {"mode": "standard", "device": "cpu"}
Pieces = list[Any]


class FakeVieneu:
    """Stands for the SDK's object; tests replace what it does."""

    sample_rate = 24_000
    _default_voice = "An"
    codec = SimpleNamespace(encode_code=None)
    arguments: dict[str, object]
    asked: tuple[str, dict[str, Any]]

    def list_preset_voices(self) -> list[tuple[str, str]]:
        return [("⭐ Chị Bình", "Bình"), ("Anh An", "An")]

    def get_preset_voice(self, name: str) -> dict[str, object]:
        return {"codes": np.ones(128, np.float32), "text": name}

    def infer_stream(self, text: str, **more: object) -> Iterator[Any]:
        self.asked = (text, more)
        yield np.zeros(100, np.float32) + np.float32(0.5)


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> FakeVieneu:
    fallback = FakeVieneu()

    def make(**arguments: object) -> FakeVieneu:
        assert sys.modules.get("perth", 0) is None, "the watermarker is hidden from it"
        fallback.arguments = arguments
        return fallback

    pretend(monkeypatch, make)
    return fallback


def pretend(monkeypatch: pytest.MonkeyPatch, make: Callable[..., object]) -> None:
    module = ModuleType("vieneu")
    module.Vieneu = make  # type: ignore[attr-defined]  # a module made of what the engine asks for
    monkeypatch.setitem(sys.modules, "vieneu", module)


def load(**more: object) -> tuple[SdkEngine, EngineInfo]:
    engine = create({**BASE, **more})
    return engine, engine.load(lambda _: None)


def speak(engine: SdkEngine, voice: Voice = AN) -> bytes:
    return b"".join(engine.synthesize(Utterance(text="Số 5.", voice=voice), lambda: False))


def streaming(monkeypatch: pytest.MonkeyPatch, sdk: FakeVieneu, pieces: Pieces) -> None:
    """Have the stand-in yield these, or raise what is an error among them."""

    def stream(*_: object, **__: object) -> Iterator[Any]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    monkeypatch.setattr(sdk, "infer_stream", stream)


def clip_of(number: int, *, transcript: str = "a", rate: int = 16_000) -> ReferenceAudio:
    pcm = bytes([number, 8]) * (2 * rate)
    return ReferenceAudio(pcm=pcm, sample_rate_hz=rate, transcript=transcript)


# --- voices and text -----------------------------------------------------------------------


def test_the_default_voice_goes_first_and_the_text_is_read_before(sdk: FakeVieneu) -> None:
    engine, info = load(temperature=0.5)

    assert [(voice.id, voice.name) for voice in info.voices] == [
        ("An", "Anh An"),
        ("Bình", "Chị Bình"),
    ]
    assert [voice.id for voice in load(voice="Bình")[1].voices] == ["Bình", "An"]
    assert len(speak(engine)) == 200
    text, more = sdk.asked
    assert text == "số năm."
    assert (more["apply_watermark"], more["temperature"]) == (False, 0.5)
    assert more["voice"]["text"] == "An"
    assert engine.memory() == EngineMemory()


def test_a_name_with_control_characters_gets_an_id_that_can_be_written(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "list_preset_voices", lambda: [("\t", "An\x00\n Bình")])
    monkeypatch.setattr(sdk, "_default_voice", "An\x00\n Bình")
    engine, info = load()

    assert info.voices == (Voice("An Bình", "An Bình", "vi"),)
    assert speak(engine, info.voices[0])
    assert sdk.asked[1]["voice"]["text"] == "An\x00\n Bình"


def test_no_voices_are_an_error_and_no_warning(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "list_preset_voices", list)
    with pytest.raises(ModelLoadError, match="no voices"):
        load()


@pytest.mark.usefixtures("sdk")
def test_an_unknown_default_voice_is_an_error() -> None:
    with pytest.raises(ModelLoadError, match="nobody") as caught:
        load(voice="nobody")
    assert "An" in caught.value.remedy


def test_a_voice_of_another_kind_is_an_error(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(mode="turbo")
    monkeypatch.setattr(sdk, "get_preset_voice", lambda _: {"codes": np.ones(50, np.int64)})
    with pytest.raises(ModelLoadError, match="turbo"):
        load(mode="turbo")


# --- while it loads ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    ["   ⚠️ Warmup failed: bad", "Invalid JSON in voice file x", "falling back to CPU"],
)
def test_what_it_only_logs_while_it_loads_is_an_error(
    monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    def make(**_: object) -> FakeVieneu:
        logging.getLogger("Vieneu.Standard").warning(told)
        return FakeVieneu()

    pretend(monkeypatch, make)
    with pytest.raises(ModelLoadError, match=told.rsplit(maxsplit=1)[-1]):
        load()


def test_what_does_no_harm_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(**_: object) -> FakeVieneu:
        logging.getLogger("Vieneu").warning("Network check failed for voices.json.")
        return FakeVieneu()

    pretend(monkeypatch, make)
    assert load()


def test_while_it_loads_it_is_kept_off_the_network_and_off_the_watermarker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def look(**_: object) -> FakeVieneu:
        names = ("HF_HUB_OFFLINE", "HF_HUB_CACHE")
        seen.append([os.environ.get(name) for name in names])
        seen.append([getattr(constants, name) for name in names])
        seen.append(sys.modules["perth"])
        return FakeVieneu()

    before = (os.environ.get("HF_HUB_OFFLINE"), constants.HF_HUB_OFFLINE, constants.HF_HUB_CACHE)
    mark = ModuleType("perth")
    monkeypatch.setitem(sys.modules, "perth", mark)
    pretend(monkeypatch, look)
    load(offline=True, cache=str(tmp_path))

    assert seen == [["1", str(tmp_path)], [True, str(tmp_path)], None]
    after = (os.environ.get("HF_HUB_OFFLINE"), constants.HF_HUB_OFFLINE, constants.HF_HUB_CACHE)
    assert after == before, "other engines of this process may still fetch theirs"
    assert sys.modules["perth"] is mark


@pytest.mark.parametrize(
    ("cause", "kind", "told"),
    [
        (ImportError("no", name="llama_cpp"), MissingExtraError, "gguf"),
        (ImportError("no", name="torch.nn"), MissingExtraError, "torch"),
        (ImportError("no", name="lmdeploy"), ModelLoadError, "lmdeploy"),
        (ImportError("no", name="strange"), MissingExtraError, "strange"),
        (FileNotFoundError("a.gguf"), ModelLoadError, r"a\.gguf"),
        (RuntimeError("CUDA out of memory. Tried"), DeviceMemoryError, "memory"),
        (RuntimeError("std::bad_alloc"), DeviceMemoryError, "memory"),
    ],
)
def test_what_it_raises_while_it_loads_has_a_name(
    monkeypatch: pytest.MonkeyPatch, cause: Exception, kind: type[VieneuError], told: str
) -> None:
    def make(**_: object) -> object:
        # As the SDK does: an error of its own words on top.
        raise RuntimeError(f"Failed: {cause}") from cause

    pretend(monkeypatch, make)
    with pytest.raises(kind, match=told):
        load()


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vieneu", None)
    with pytest.raises(MissingExtraError, match=r"vieneu-core\[sdk\]"):
        load()


# --- while it speaks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ([], "returned no audio"),
        ([None], "a part of a sentence"),
        ([np.ones(10, np.float32), np.zeros(0, np.float32)], "a part of a sentence"),
        ([np.full(10, np.nan, np.float32)], "not made of numbers"),
        ([np.full(10, np.inf, np.float32)], "not made of numbers"),
        ([np.ones(24_000, np.float32)] * 60, "did not end"),
    ],
)
def test_what_is_no_speech_is_an_error(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch, pieces: Pieces, told: str
) -> None:
    streaming(monkeypatch, sdk, pieces)
    with pytest.raises(SynthesisFailedError, match=told):
        speak(load()[0])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("odd"), SynthesisFailedError),
        (RuntimeError("CUDA out of memory. Tried"), DeviceMemoryError),
        (MemoryError(), DeviceMemoryError),
    ],
)
def test_whatever_it_raises_has_a_name(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    streaming(monkeypatch, sdk, [np.ones(10, np.float32), error])
    with pytest.raises(kind):
        speak(load()[0])


def test_too_loud_samples_are_clipped(sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch) -> None:
    streaming(monkeypatch, sdk, [np.array([2.0, -2.0, 0.5], np.float32)])

    assert np.frombuffer(speak(load()[0]), "<i2").tolist() == [32_767, -32_767, 16_384]


def test_a_cancelled_sentence_closes_its_stream(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    def stream(*_: object, **__: object) -> Iterator[Any]:
        try:
            while True:
                yield np.ones(10, np.float32)
        finally:
            closed.append(True)

    monkeypatch.setattr(sdk, "infer_stream", stream)
    got: list[bytes] = []
    engine = load()[0]
    for pcm in engine.synthesize(Utterance(text="Số 5.", voice=AN), lambda: len(got) == 2):
        got.append(pcm)  # noqa: PERF402 - looked at meanwhile

    assert (len(got), closed) == (2, [True])


def test_a_thread_that_died_is_replaced(sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load()[0]
    dead = SimpleNamespace(_error=RuntimeError("CUDA error"))
    monkeypatch.setattr(sdk, "_stream_sched", dead, raising=False)

    assert speak(engine)
    assert sdk._stream_sched is None  # type: ignore[attr-defined]  # as the SDK names it


def test_used_before_it_is_loaded_it_says_so() -> None:
    with pytest.raises(ModelLoadError, match="before it was loaded"):
        speak(create(BASE))


# --- clips ---------------------------------------------------------------------------------


def test_a_clip_goes_to_it_as_a_file_and_only_once(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bytes, int]] = []

    def encode(path: str) -> list[int]:
        seen.append((Path(path).read_bytes()[:4], Path(path).stat().st_mode & 0o777))
        return [1, 2]

    monkeypatch.setattr(sdk, "encode_reference", encode, raising=False)
    engine = load()[0]
    clips = [clip_of(i) for i in range(18)]
    for clip in (*clips, clips[-1], clip_of(17)):
        list(engine.synthesize(Utterance(text="Số 5.", voice=None, reference=clip), lambda: False))
    assert seen == [(b"RIFF", 0o600)] * 18
    assert sdk.asked[1]["voice"] == {"codes": [1, 2], "text": "a"}

    other = clip_of(17, transcript="b")
    list(engine.synthesize(Utterance(text="Số 5.", voice=None, reference=other), lambda: False))
    assert sdk.asked[1]["voice"]["text"] == "b", "the same sound, other words"


def test_a_clip_that_it_cannot_use_is_an_error(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(_: str) -> object:
        raise ValueError("Audio too short for fbank")

    monkeypatch.setattr(sdk, "encode_reference", encode, raising=False)
    with pytest.raises(ReferenceAudioError, match="too short"):
        list(load()[0].synthesize(Utterance(text="a", voice=None, reference=clip_of(1)), bool))


# --- options -------------------------------------------------------------------------------


@pytest.mark.usefixtures("sdk")
def test_a_precision_that_the_device_lacks_is_an_error() -> None:
    with pytest.raises(ModelLoadError, match="fp32 or int8"):
        load(mode="v3turbo", precision="bf16")


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ({}, {"mode": "standard", "backbone_device": "cpu"}),
        ({"model": "a/b:c.gguf"}, {"backbone_repo": "a/b", "gguf_filename": "c.gguf"}),
        ({"model": "a/b"}, {"backbone_repo": "a/b", "gguf_filename": None}),
        ({"codec": "a/neucodec"}, {"codec_repo": "a/neucodec", "codec_device": "cpu"}),
        ({"mode": "turbo", "codec": "a/b"}, {"decoder_repo": "a/b", "encoder_repo": "a/b"}),
        ({"mode": "turbo", "threads": 2, "seed": 5}, {"n_threads": 2, "seed": 5, "device": "cpu"}),
    ],
)
def test_options_become_the_sdks_arguments(
    sdk: FakeVieneu, options: dict[str, object], given: dict[str, object]
) -> None:
    load(**options)

    assert sdk.arguments.items() >= given.items()


@pytest.mark.usefixtures("sdk")
def test_a_gguf_file_is_for_the_engine_gguf(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelLoadError, match="engine gguf"):
        load(model=str(tmp_path / "a.gguf"))


@pytest.mark.usefixtures("sdk")
def test_fast_needs_a_gpu() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ModelLoadError, match="cuda"):
        create({"mode": "fast"}).load(lambda _: None)
