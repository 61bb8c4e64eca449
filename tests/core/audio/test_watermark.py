"""The watermark is there, is not heard, and is never left out in silence."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import dropwhile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from guard import GUARD_S
from tone_engine import VOICES

from vieneu_core.audio.watermark import DETECTED, Watermarker, can_watermark
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import EngineInfo, EngineMemory, LoadProgress, Utterance
from vieneu_core.errors import WatermarkUnavailableError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.child import Channel, Worker
from vieneu_core.worker.messages import Audio, Finished, Speak
from vieneu_core.worker.watermarking import MOST_SIGNS_OF_LIFE, Watermarking

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


def likeness(one: bytes, other: bytes) -> float:
    """Return how alike two sounds are where they are, from -1 to 1: a delay makes them differ."""
    a, b = (np.frombuffer(pcm, "<i2").astype(np.float64) for pcm in (one, other))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


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
    assert likeness(marked, plain) > 0.95


@pytest.mark.parametrize("gain", [0.03, 5.0])
def test_what_is_faint_or_fills_the_scale_is_marked_too(
    watermarker: Watermarker, gain: float
) -> None:
    wave = np.frombuffer(tone(2.0, 24_000), "<i2") * gain
    plain = np.clip(wave, -32_767, 32_767).astype("<i2").tobytes()

    marked = watermarker.apply(plain, 24_000)

    assert watermarker.detect(marked, 24_000) > DETECTED
    assert loudness_db(marked) == pytest.approx(loudness_db(plain), abs=0.5)


def test_nothing_stays_nothing(watermarker: Watermarker) -> None:
    assert watermarker.apply(b"", 24_000) == b""
    assert watermarker.apply(bytes(2000), 24_000) == bytes(2000)


async def test_each_sentence_that_is_spoken_has_it(
    espeak: LocalBackend, watermarker: Watermarker
) -> None:
    request = SynthesisRequest(text=(TEXT, "Tạm biệt các bạn nhé."), watermark=True, speed=1.2)

    marked = await synthesize(espeak, request)
    # Another process: what one has spoken before changes how long eSpeak makes a sentence.
    async with LocalBackend("espeak") as other:
        plain = await synthesize(other, SynthesisRequest(text=request.text, speed=1.2))

    for index in (0, 1):
        sentence = b"".join(c.pcm for c in marked.chunks if c.sentence == index)
        assert watermarker.detect(sentence, marked.sample_rate_hz) > DETECTED
    assert len(marked.pcm) == len(plain.pcm)
    assert all(speaker.watermarked for speaker in marked.speakers)
    assert not any(speaker.watermarked for speaker in plain.speakers)


# What stands in the worker's way to the package: it is absent, or broken as where its own imports
# failed. The worker is a process of its own, so both are modules that it finds first.
ABSENT = ("sitecustomize.py", "import sys\nsys.modules['perth'] = None\n")
BROKEN = ("perth.py", "PerthImplicitWatermarker = None\n")


@pytest.fixture(params=[ABSENT, BROKEN], ids=["absent", "broken"])
def unavailable(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, content = request.param
    (tmp_path / name).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("unavailable")
async def test_asked_for_and_not_possible_is_a_named_error() -> None:
    backend = LocalBackend("espeak")
    await backend.load()

    with pytest.raises(WatermarkUnavailableError, match="the extra watermark of vieneu-core"):
        await synthesize(backend, SynthesisRequest(text=TEXT, watermark=True))
    await backend.aclose()


@pytest.mark.usefixtures("unavailable")
async def test_preferred_and_not_possible_is_whole_speech_that_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    backend = LocalBackend("tone_engine:create", watermark_required=False)
    await backend.load()
    text = (TEXT, "Tạm biệt các bạn nhé.")

    with caplog.at_level(logging.WARNING):
        speech = await synthesize(backend, SynthesisRequest(text=text, watermark=True))
    plain = await synthesize(backend, SynthesisRequest(text=text))
    await backend.aclose()

    assert speech.pcm == plain.pcm
    assert [speaker.watermarked for speaker in speech.speakers] == [False, False]
    assert "without a watermark" in caplog.text


def test_while_a_sentence_is_gathered_the_host_hears_that_work_goes_on(
    watermarker: Watermarker,
) -> None:
    info = EngineInfo(engine="tone", model="sine", sample_rate_hz=24_000, voices=VOICES)
    plain = tone(2.0, info.sample_rate_hz)
    host, end = socket.socketpair()
    worker = Worker(Channel(end), Watermarking(lambda: watermarker))

    with host, end:
        worker._speak(Pieces(plain), info, Speak(1, TEXT, VOICES[0], watermark=True))
        frames = list(reported(Channel(host)))

    n_pieces = 1 + len(plain) // PIECE_BYTES
    assert frames[:n_pieces] == [b""] * n_pieces
    chunks = list(dropwhile(lambda pcm: not pcm, frames))  # more signs, while it is marked
    assert all(0 < len(pcm) <= info.sample_rate_hz // 2 for pcm in chunks)
    marked = b"".join(chunks)
    assert len(marked) == len(plain)
    assert watermarker.detect(marked, info.sample_rate_hz) > DETECTED


def test_a_watermarker_that_loads_for_long_gives_signs_of_life(watermarker: Watermarker) -> None:
    is_loaded, calls = threading.Event(), 0

    def load() -> Watermarker:
        nonlocal calls
        calls += 1
        is_loaded.wait(GUARD_S)
        return watermarker

    watermarking = Watermarking(load, sign_of_life_s=0.01)
    plain = tone(1.0, 24_000)
    cancelled = watermarking.mark(iter((plain,)), 24_000)
    assert [next(cancelled), next(cancelled)] == [b"", b""]
    cancelled.close()  # type: ignore[attr-defined]

    pieces = watermarking.mark(iter((plain,)), 24_000)
    assert [next(pieces), next(pieces)] == [b"", b""]
    is_loaded.set()

    assert len(b"".join(pieces)) == len(plain)
    assert calls == 1, "what the cancelled sentence began to load is used"


def test_a_watermarker_that_hangs_gives_signs_of_life_for_two_minutes_only() -> None:
    is_over = threading.Event()

    def load() -> Watermarker:
        is_over.wait(GUARD_S)
        raise WatermarkUnavailableError("It hung.")

    signs: list[bytes] = []

    def mark() -> None:
        with contextlib.suppress(WatermarkUnavailableError):
            signs.extend(Watermarking(load, sign_of_life_s=0.001).mark(iter(()), 24_000))

    host = threading.Thread(target=mark)
    host.start()
    while len(signs) < MOST_SIGNS_OF_LIFE:
        time.sleep(0.01)
    host.join(0.2)
    assert host.is_alive(), "it waits, and the host's own time runs out"
    is_over.set()
    host.join(GUARD_S)

    assert len(signs) == MOST_SIGNS_OF_LIFE


PIECE_BYTES = 9600


class Pieces:
    """An engine that says the same to everything, in pieces of 0.2 s."""

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm

    def load(self, progress: Callable[[LoadProgress], None]) -> EngineInfo:
        raise NotImplementedError

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        del cancelled
        assert not utterance.watermark, "it cannot make one itself"
        for start in range(0, len(self._pcm), PIECE_BYTES):
            yield self._pcm[start : start + PIECE_BYTES]

    def memory(self) -> EngineMemory:
        return EngineMemory()


def reported(channel: Channel) -> Iterator[bytes]:
    """Yield the samples that were sent, to the end of the job."""
    while not isinstance(message := channel.receive(), Finished):
        if isinstance(message, Audio):
            yield message.pcm


@pytest.mark.parametrize("package", ["perth", "torchaudio", "pkg_resources"])
def test_it_tells_whether_all_of_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    assert can_watermark()
    monkeypatch.setitem(sys.modules, package, None)
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

    with pytest.raises(WatermarkUnavailableError, match="the extra watermark of vieneu-core"):
        Watermarker()
