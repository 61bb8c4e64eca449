"""The watermark is there, is not heard, and is never left out in silence."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Callable
from types import ModuleType

import numpy as np
import pytest

from vieneu_core.audio import watermark
from vieneu_core.audio.watermark import DETECTED, Watermarker, can_watermark
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import WatermarkUnavailableError
from vieneu_core.synthesis import SynthesisRequest

TEXT = "Xin chào các bạn, hôm nay trời đẹp quá."


@pytest.fixture(scope="module")
def watermarker() -> Watermarker:
    return Watermarker()


@pytest.fixture
async def espeak() -> AsyncIterator[LocalBackend]:
    backend = LocalBackend("espeak")
    await backend.load()
    yield backend
    await backend.aclose()


def loudness_db(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return 10 * float(np.log10(np.mean(samples**2)))


def tone(seconds: float, rate_hz: int) -> bytes:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    turns = 2 * np.pi * np.cumsum(170 + 30 * np.sin(9 * t)) / rate_hz
    wave = sum(np.sin(k * turns) / k for k in range(1, 15))
    return np.rint(wave * 6000).astype("<i2").tobytes()


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.0])
def test_it_is_found_again_and_changes_neither_length_nor_loudness(
    watermarker: Watermarker, rate_hz: int, seconds: float
) -> None:
    plain = tone(seconds, rate_hz)

    marked = watermarker.apply(plain, rate_hz)

    assert watermarker.detect(plain, rate_hz) < DETECTED < watermarker.detect(marked, rate_hz)
    assert len(marked) == len(plain)
    assert loudness_db(marked) == pytest.approx(loudness_db(plain), abs=0.5)


def test_nothing_stays_nothing(watermarker: Watermarker) -> None:
    assert watermarker.apply(b"", 24_000) == b""
    assert watermarker.apply(bytes(2000), 24_000) == bytes(2000)


async def test_each_sentence_that_is_spoken_has_it(
    espeak: LocalBackend, watermarker: Watermarker
) -> None:
    request = SynthesisRequest(text=(TEXT, "Tạm biệt các bạn nhé."), watermark=True, speed=1.2)

    marked = await synthesize(espeak, request)
    plain = await synthesize(espeak, SynthesisRequest(text=request.text, speed=1.2))

    for index in (0, 1):
        sentence = b"".join(c.pcm for c in marked.chunks if c.sentence == index)
        assert watermarker.detect(sentence, marked.sample_rate_hz) > DETECTED
    assert len(marked.pcm) == len(plain.pcm)
    assert all(speaker.watermarked for speaker in marked.speakers)
    assert not any(speaker.watermarked for speaker in plain.speakers)


@pytest.fixture
def without_perth(monkeypatch: pytest.MonkeyPatch) -> Callable[..., LocalBackend]:
    """Backends whose worker finds no watermarker: a folder of its own hides the package."""

    def make(**more: bool) -> LocalBackend:
        return LocalBackend("espeak", **more)  # type: ignore[arg-type]

    monkeypatch.setattr(watermark, "find_spec", lambda _: None)
    return make


async def test_asked_for_and_not_there_is_a_named_error(
    without_perth: Callable[..., LocalBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = without_perth()
    await backend.load()
    _pretend_it_cannot(backend, monkeypatch)

    with pytest.raises(WatermarkUnavailableError, match=r"vieneu-core\[watermark\]"):
        await synthesize(backend, SynthesisRequest(text=TEXT, watermark=True))
    await backend.aclose()


async def test_preferred_and_not_there_is_speech_that_says_so(
    without_perth: Callable[..., LocalBackend],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    backend = without_perth(watermark_required=False)
    await backend.load()
    _pretend_it_cannot(backend, monkeypatch)

    with caplog.at_level(logging.WARNING):
        speech = await synthesize(backend, SynthesisRequest(text=TEXT, watermark=True))
    await backend.aclose()

    assert speech.seconds > 1
    assert not any(speaker.watermarked for speaker in speech.speakers)
    assert "spoken without" in caplog.text


def _pretend_it_cannot(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is a process of its own, in which the package is installed."""
    from dataclasses import replace

    info = backend._host.info
    assert info is not None
    assert info.watermarks
    monkeypatch.setattr(backend._host._worker, "_info", replace(info, watermarks=False))


def test_it_tells_whether_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_watermark()
    monkeypatch.setattr(watermark, "find_spec", lambda name: None if name == "perth" else name)
    assert not can_watermark()


@pytest.mark.parametrize("kind", ["absent", "broken", "namesake", "corrupt", "mute"])
def test_what_does_not_work_is_a_named_error(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    module: ModuleType | None = ModuleType("perth")

    def corrupt() -> None:
        raise RuntimeError("weights do not fit")

    class Mute:
        def apply_watermark(self, samples: object, sample_rate: int) -> object:
            del sample_rate
            return samples

        def get_watermark(self, samples: object, **_: object) -> np.ndarray:
            del samples
            return np.zeros(1)

    if kind == "absent":
        module = None
    elif kind == "broken":
        module.PerthImplicitWatermarker = None  # type: ignore[union-attr]
    elif kind == "corrupt":
        module.PerthImplicitWatermarker = corrupt  # type: ignore[union-attr]
    elif kind == "mute":
        module.PerthImplicitWatermarker = Mute  # type: ignore[union-attr]
    monkeypatch.setitem(sys.modules, "perth", module)

    with pytest.raises(WatermarkUnavailableError, match=r"vieneu-core\[watermark\]"):
        Watermarker()
