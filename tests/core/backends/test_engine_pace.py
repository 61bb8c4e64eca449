"""An engine slower than playback that nobody takes over from: its sentences have no holes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import nullcontext
from functools import partial

import pytest
from fake_clock import FakeClock
from guard import GUARD_S

from vieneu_core.audio.listener import Listener
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.backends.engine_pace import EnginePace, SentencePace
from vieneu_core.backends.sentence_retry import recovering
from vieneu_core.engines.base import EngineInfo, Utterance
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.voices import Voice

RATE_HZ = 1_000
VOICE = Voice(id="vi", name="Tone", language="vi")
INFO = EngineInfo(engine="tone", model="tone", sample_rate_hz=RATE_HZ, voices=(VOICE,))
PART_S = 0.25
SPEAKER = Speaker(backend="local", engine="tone", voice="vi")
SLOW, FAST = (0.75,) * 6, (0.05,) * 6
"""Seconds that the engine needs for each part."""


class Rig:
    """An engine that makes sentences at a pace, and a client that plays what comes."""

    def __init__(
        self, clock: FakeClock, *, client_takes_s: float = 0.0, always_live: bool = False
    ) -> None:
        self.clock = clock
        self.always_live = always_live
        self.listener = Listener(clock.monotonic())
        self.engine = EnginePace()
        self.client_takes_s = client_takes_s
        self.n_signs = 0
        self.first_after_s = 0.0

    async def holes_s(self, paces_s: Sequence[float], *, speed: float = 1.0) -> list[float]:
        """Hear a sentence; return the silences within it, and note the signs of life.

        Args:
            paces_s: Seconds that the engine needs for each part.
            speed: Rate of speech, to which the parts are stretched.
        """
        task = asyncio.create_task(self._take(paces_s, speed))
        while not task.done():
            await self.clock.advance(0.05)
        return await task

    async def _take(self, paces_s: Sequence[float], speed: float) -> list[float]:
        part_s = PART_S / speed

        async def speak() -> AsyncGenerator[AudioChunk, None]:
            for pace_s in paces_s:
                await self.clock.sleep(pace_s)
                self.listener.receive(part_s, self.clock.monotonic())
                yield AudioChunk(bytes(2 * round(part_s * RATE_HZ)), RATE_HZ, 0, SPEAKER)
            yield AudioChunk(b"", RATE_HZ, 0, SPEAKER, final=True)

        async def ready() -> None:
            raise AssertionError("Nothing fails.")

        began_s = self.clock.monotonic()
        holes, n_parts, played_until_s = [], 0, 0.0
        pace = partial(
            SentencePace,
            self.engine,
            lambda: asyncio.sleep(0, len(paces_s) * part_s + 0.1),
            stretched=speed,
            always_live=self.always_live,
        )
        async for chunk in recovering(speak, ready, self.listener, self.clock, nullcontext(pace)):
            now_s = self.clock.monotonic()
            self.n_signs += not (chunk.pcm or chunk.final)
            if chunk.pcm:
                if n_parts and now_s > played_until_s + 0.01:
                    holes.append(now_s - played_until_s)
                n_parts += 1
                played_until_s = max(now_s, played_until_s) + chunk.seconds
                await self.clock.sleep(self.client_takes_s)
            if n_parts == 1 and chunk.pcm:
                self.first_after_s = now_s - began_s
        assert n_parts == len(paces_s), "every part is heard once"
        return holes


async def test_no_sentence_of_a_slow_engine_has_holes_and_it_shows_that_it_works(
    clock: FakeClock,
) -> None:
    rig = Rig(clock)

    for _ in range(3):
        assert await rig.holes_s(SLOW) == []
    assert rig.n_signs >= 3 * (len(SLOW) // 2)


@pytest.mark.parametrize("factor", [1.1, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0])
async def test_a_long_sentence_has_no_holes_at_any_pace(clock: FakeClock, factor: float) -> None:
    """The first one of an engine that nobody knows, and one of an engine that is known."""
    rig = Rig(clock)

    for _ in range(2):
        assert await rig.holes_s((PART_S * factor,) * 24) == []
        await clock.advance(60.0)


async def test_sentences_of_a_single_part_leave_the_pace_known(clock: FakeClock) -> None:
    rig = Rig(clock)
    await rig.holes_s(SLOW)
    known = rig.engine.factor

    for _ in range(5):
        await rig.holes_s(SLOW[:1])

    assert known is not None
    assert rig.engine.factor == known


async def test_a_client_that_gives_up_at_a_pause_hears_a_slow_engine_live(
    clock: FakeClock,
) -> None:
    rig = Rig(clock, always_live=True)

    for _ in range(2):
        assert max(await rig.holes_s(SLOW)) <= SLOW[0]
    assert rig.n_signs == 0


async def test_a_slow_engine_gets_no_more_lead_than_it_needs(clock: FakeClock) -> None:
    rig = Rig(clock)
    slightly_slow = (PART_S * 1.4,) * 12
    await rig.holes_s(slightly_slow)
    await clock.advance(60.0)

    assert await rig.holes_s(slightly_slow) == []
    assert rig.first_after_s < 0.5 * sum(slightly_slow)


async def test_an_engine_that_becomes_slow_leaves_one_hole_in_the_sentence(
    clock: FakeClock,
) -> None:
    rig = Rig(clock)
    await rig.holes_s(FAST)

    assert len(await rig.holes_s((*FAST[:2], *SLOW))) <= 2


async def test_an_engine_that_was_slow_and_keeps_up_again_is_heard_as_it_speaks(
    clock: FakeClock,
) -> None:
    rig = Rig(clock)
    await rig.holes_s(SLOW)
    for _ in range(4):
        await clock.advance(10.0)
        await rig.holes_s(FAST)

    await clock.advance(10.0)
    began_s, first_s = clock.monotonic(), FAST[0]
    task = asyncio.create_task(rig.holes_s(FAST))
    await task
    assert rig.engine.factor is not None
    assert rig.engine.factor < 1
    assert rig.listener.runs_out_at_s - began_s < first_s + len(FAST) * PART_S + 0.2


@pytest.mark.parametrize("takes_s", [0.5, 2.0])
async def test_a_client_that_reads_slowly_makes_no_engine_slow(
    clock: FakeClock, takes_s: float
) -> None:
    rig = Rig(clock, client_takes_s=takes_s)
    await rig.holes_s(FAST)
    await rig.holes_s(FAST)

    assert rig.engine.factor is not None
    assert rig.engine.factor < 1
    assert rig.n_signs <= 1


@pytest.mark.parametrize("factor", [1.2, 1.6, 2.0])
async def test_slow_speech_makes_no_engine_fast(clock: FakeClock, factor: float) -> None:
    rig = Rig(clock)
    parts = (PART_S * factor,) * 12
    for speed in (0.5, 1.0, 0.5, 2.0, 0.7, 1.5):
        assert await rig.holes_s(parts, speed=speed) == [], speed
        await clock.advance(60.0)


async def test_fast_speech_makes_no_engine_slow(clock: FakeClock) -> None:
    rig = Rig(clock)
    parts = (PART_S * 0.8,) * 12
    assert await rig.holes_s(parts, speed=2.0) == []
    await clock.advance(60.0)

    assert await rig.holes_s(parts) == []
    assert rig.first_after_s <= parts[0] + 0.05


async def test_a_sentence_is_begun_while_its_length_is_estimated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimated = threading.Event()

    def said_seconds(sentence: str, language: str, speed: float) -> float:
        assert (sentence, language, speed) == ("Cửa trước đang mở.", "vi", 1.0)
        estimated.wait(GUARD_S)
        return 2.0

    monkeypatch.setattr("vieneu_core.text.said_length.said_seconds", said_seconds)
    utterance = Utterance(text="Cửa trước đang mở.", voice=VOICE)
    request = SynthesisRequest(text=utterance.text)
    async with EnginePace().of_sentence(utterance, request, INFO) as pace_of_try:
        pace = pace_of_try()
        known = asyncio.create_task(pace.estimated())
        await asyncio.sleep(0)
        assert not known.done(), "the estimate is still being made"
        estimated.set()
        await known
        pace.add(0.3, 0.6)
        pace.add(0.3, 0.6)
        assert not pace.plays_live(sounds=False), "too slow for what is left of 2 s"
        for _ in range(4):
            pace.add(0.3, 0.6)
        assert pace.plays_live(sounds=False)


async def test_an_estimate_that_is_needed_no_longer_ends_with_its_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimated = threading.Event()

    def said_seconds(*_: object) -> float:
        estimated.wait(GUARD_S)
        return 2.0

    monkeypatch.setattr("vieneu_core.text.said_length.said_seconds", said_seconds)
    request = SynthesisRequest(text="Cửa trước đang mở.")
    before = asyncio.all_tasks()
    utterance = Utterance(text="Cửa trước đang mở.", voice=VOICE)
    async with EnginePace().of_sentence(utterance, request, INFO):
        assert asyncio.all_tasks() > before
    assert asyncio.all_tasks() == before
    estimated.set()
