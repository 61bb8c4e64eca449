"""The official SDK, in a worker, on a checkpoint of its own format; and its silences, by name."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from checkpoint.v3_turbo import CLONED, pitch_hz, pitches_of, write_v3_turbo

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import EngineMemory, Utterance
from vieneu_core.engines.sdk import SdkEngine, create
from vieneu_core.errors import (
    DeviceMemoryError,
    EmptyTextError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest
from vieneu_core.voices import Voice
from vieneu_core.worker.host import EngineSpec

SHORT = "Xin chào các bạn."
LONG = "Xin chào các bạn, hôm nay trời đẹp quá phải không nào các bạn ơi."
AN = Voice(id="An", name="An", language="vi")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("v3") / "turbo"
    write_v3_turbo(folder)
    return folder


def options(folder: Path, **more: object) -> dict[str, object]:
    speaking = {"temperature": 0, "repetition_penalty": 1.0}
    found = {"model": str(folder), "cache": str(folder / "hub"), "offline": True}
    return {**found, "speaking": speaking, **more}


@pytest.fixture
async def backend(folder: Path) -> AsyncIterator[LocalBackend]:
    backend = LocalBackend(EngineSpec("sdk", options(folder)))
    await backend.load()
    yield backend
    await backend.aclose()


def heard(speech: Speech) -> list[float]:
    return pitches_of(np.frombuffer(speech.pcm, "<i2") / 32_768)


async def test_it_speaks_with_the_voices_of_its_model(backend: LocalBackend) -> None:
    voices = await backend.voices()
    assert voices[0].id == "Thử An", "the default of the model goes first"
    assert {"Thử An", "Thử Chi"} < {voice.id for voice in voices}
    for voice, last in (("Thử An", 9), ("Thử Chi", 509)):
        speech = await synthesize(backend, SynthesisRequest(text=SHORT, voice=voice))
        assert speech.sample_rate_hz == 48_000
        pitches = heard(speech)
        assert pitches == [pitch_hz(last + 1 + i) for i in range(len(pitches))]
        longer = await synthesize(backend, SynthesisRequest(text=LONG, voice=voice))
        assert longer.seconds > 2 * speech.seconds
    health = await backend.health()
    assert (health.engine, health.model) == ("sdk", "turbo")


async def test_sound_comes_before_the_sentence_is_done(backend: LocalBackend) -> None:
    chunks = [c async for c in backend.stream(SynthesisRequest(text=LONG))]

    assert len([chunk for chunk in chunks if chunk.pcm]) >= 3


async def test_a_clip_is_enrolled_and_spoken_with(backend: LocalBackend) -> None:
    noise = np.random.default_rng(0).integers(-3000, 3000, 16_000 * 4).astype("<i2").tobytes()
    clip = ReferenceAudio(pcm=noise, sample_rate_hz=16_000, transcript="Xin chào.")

    for _ in range(2):
        speech = await synthesize(backend, SynthesisRequest(text=SHORT, reference=clip))
        assert heard(speech)[0] == pitch_hz(CLONED[0] + 1)


async def test_what_cannot_be_pronounced_and_who_is_unknown_are_errors(
    backend: LocalBackend,
) -> None:
    with pytest.raises(EmptyTextError):
        await synthesize(backend, SynthesisRequest(text=("...!",)))
    with pytest.raises(VoiceNotFoundError):
        await synthesize(backend, SynthesisRequest(text=SHORT, voice="nobody"))
    assert heard(await synthesize(backend, SynthesisRequest(text=SHORT)))


@pytest.mark.parametrize(
    "damage", ["vieneu_prefill.onnx", "config.json", "vieneu_v3_heads.npz", "hub"]
)
async def test_a_damaged_model_is_an_error(folder: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, symlinks=True)
    if damage == "hub":
        shutil.rmtree(copy / "hub")
    else:
        (copy / damage).write_bytes(b"nonsense")
    backend = LocalBackend(EngineSpec("sdk", options(copy)))

    with pytest.raises(ModelLoadError, match="SDK does not load"):
        await backend.load()
    await backend.aclose()


# --- its silences: an SDK that does what the real one does where something is missing --------


class Silent:
    """Stands for the SDK's object; tests replace what it does."""

    sample_rate = 24_000
    _default_voice = "An"
    engine = SimpleNamespace(device=SimpleNamespace(type="cpu"))

    def list_preset_voices(self) -> list[tuple[str, str]]:
        return [("Chị Bình", "Bình"), ("Anh An", "An")]

    def get_preset_voice(self, name: str) -> dict[str, object]:
        return {"codes": [1], "text": name}

    def infer_stream(self, text: str, **more: object) -> Iterator[Any]:
        self.asked = (text, more)
        yield np.zeros(100, np.float32) + np.float32(0.5)


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Silent:
    silent = Silent()
    module = ModuleType("vieneu")
    module.Vieneu = lambda **arguments: _made(silent, arguments)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vieneu", module)
    return silent


def _made(silent: Silent, arguments: dict[str, object]) -> Silent:
    silent.arguments = arguments  # type: ignore[attr-defined]
    return silent


def loaded(**more: object) -> SdkEngine:
    engine = create({"mode": "standard", **more})
    engine.load(lambda _: None)
    return engine


def speak(engine: SdkEngine, voice: Voice = AN) -> bytes:
    return b"".join(engine.synthesize(Utterance(text="Số 5.", voice=voice), lambda: False))


def test_the_default_voice_goes_first_and_the_text_is_read_before(sdk: Silent) -> None:
    engine = create({"mode": "standard", "arguments": {"device": "cpu"}})
    info = engine.load(lambda _: None)

    assert [voice.id for voice in info.voices] == ["An", "Bình"]
    assert [voice.id for voice in _info(voice="Bình").voices] == ["Bình", "An"]
    assert len(speak(engine)) == 200
    text, more = sdk.asked
    assert text == "số năm."
    assert more["apply_watermark"] is False
    assert more["voice"] == {"codes": [1], "text": "An"}
    assert engine.memory() == EngineMemory()


def _info(**more: object) -> Any:
    return create({"mode": "standard", **more}).load(lambda _: None)


def test_no_voices_are_an_error_and_no_warning(
    sdk: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "list_preset_voices", list)
    with pytest.raises(ModelLoadError, match="no voices"):
        loaded()


def test_an_unknown_default_voice_is_an_error(sdk: Silent) -> None:
    del sdk
    with pytest.raises(ModelLoadError, match="nobody") as caught:
        loaded(voice="nobody")
    assert "An" in caught.value.remedy


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ([], "gave no audio"),
        ([np.zeros(0, np.float32), None], "gave no audio"),
        ([np.full(10, np.nan, np.float32)], "not made of numbers"),
    ],
)
def test_no_audio_is_an_error(
    sdk: Silent, monkeypatch: pytest.MonkeyPatch, pieces: list[Any], told: str
) -> None:
    def stream(*_: object, **__: object) -> Iterator[Any]:
        yield from pieces

    monkeypatch.setattr(sdk, "infer_stream", stream)
    with pytest.raises(SynthesisFailedError, match=told):
        speak(loaded())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("odd"), SynthesisFailedError),
        (RuntimeError("CUDA out of memory. Tried"), DeviceMemoryError),
        (MemoryError(), DeviceMemoryError),
    ],
)
def test_whatever_it_raises_has_a_name(
    sdk: Silent, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    def stream(*_: object, **__: object) -> Iterator[Any]:
        yield np.ones(10, np.float32)
        raise error

    monkeypatch.setattr(sdk, "infer_stream", stream)
    with pytest.raises(kind):
        speak(loaded())


def test_a_cancelled_sentence_closes_its_stream(
    sdk: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    def stream(*_: object, **__: object) -> Iterator[Any]:
        try:
            while True:
                yield np.ones(10, np.float32)
        finally:
            closed.append(True)

    monkeypatch.setattr(sdk, "infer_stream", stream)
    engine = loaded()
    got: list[bytes] = []
    for pcm in engine.synthesize(Utterance(text="Số 5.", voice=AN), lambda: len(got) == 2):
        got.append(pcm)  # noqa: PERF402 - looked at meanwhile

    assert (len(got), closed) == (2, [True])


def test_a_clip_goes_to_it_as_a_file_and_only_once(
    sdk: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def encode(path: str) -> list[int]:
        seen.append(Path(path).read_bytes()[:4])
        return [1, 2]

    monkeypatch.setattr(sdk, "encode_reference", encode, raising=False)
    engine = loaded()
    clips = [
        ReferenceAudio(pcm=bytes([i, 0]) * 500, sample_rate_hz=16_000, transcript="a")
        for i in range(18)
    ]
    for clip in (*clips, clips[-1]):
        list(engine.synthesize(Utterance(text="Số 5.", voice=None, reference=clip), lambda: False))

    assert seen == [b"RIFF"] * 18
    assert sdk.asked[1]["voice"] == {"codes": [1, 2], "text": "a"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"mode": "v9"}, "mode"), ({"modell": "x"}, "modell"), ({"offline": 3}, "offline")],
)
def test_a_wrong_option_is_named(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ModelLoadError, match=told):
        create(wrong)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vieneu", None)
    with pytest.raises(MissingExtraError, match=r"vieneu-core\[sdk\]"):
        loaded()
