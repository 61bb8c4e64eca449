"""A slow engine: it is noticed whatever it sends meanwhile, and asked again when it is fast."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import pairwise

import pytest
from listener import Listener
from router_rig import TEXT, RouterRig, assert_heard

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.router import Mode, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

LONG_READING = tuple(f"Đây là câu {n} của một bài đọc dài về thời tiết." for n in range(40))
LONG = (
    "Hôm nay trời nhiều mây và có lúc có mưa rào ở một vài nơi trên các tỉnh miền núi phía Bắc và"
    " đồng bằng sông Hồng, còn ở phía Nam trời nắng nóng và về chiều tối có mưa dông ở nhiều nơi."
)
NO_FALLBACK = RouterPolicy(fallback_enabled=False)


async def listen(rig: RouterRig, text: str = TEXT) -> Listener:
    listener = Listener(rig.clock)
    await listener.listen(rig.router, SynthesisRequest(text=text))
    return listener


async def test_a_slow_engine_is_asked_again_when_it_has_recovered() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.last.sample_rate_hz = 24_000  # no thread resamples while the clock goes on
        rig.local.always = ScriptStep(chunk_delay_s=0.5)
        for _ in range(4):
            assert set((await listen(rig)).speakers) == {"last_resort"}
        rig.local.record.requests.clear()
        await listen(rig)
        assert all("Xin chào" in request.text[0] for request in rig.local.record.requests)  # type: ignore[index]
        rig.local.always = ScriptStep()
        for _ in range(120):
            await rig.clock.advance(0.5)
        assert set((await listen(rig)).speakers) == {"local"}


async def becomes_fast(rig: RouterRig, *, after_s: float) -> None:
    await rig.clock.sleep(after_s)
    rig.local.always = ScriptStep(chunk_delay_s=0.02)


@pytest.mark.parametrize("recovers", [True, False], ids=["fast again", "still slow"])
async def test_a_reading_returns_only_to_an_engine_that_has_become_fast(recovers: bool) -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.last.sample_rate_hz = 24_000
        rig.local.always = ScriptStep(chunk_delay_s=0.3)
        for _ in range(3):
            await listen(rig)
        status = rig.router.status().backend("local")
        assert status is not None
        assert (status.real_time_factor or 0.0) > 1.0, "it is known to be slow"
        listener = Listener(rig.clock)
        recovery = asyncio.create_task(becomes_fast(rig, after_s=6.0 if recovers else math.inf))
        await listener.listen(rig.router, SynthesisRequest(text=LONG_READING))
        recovery.cancel()

    assert_heard(listener.chunks, LONG_READING)
    assert listener.speakers[:2] == ["last_resort"] * 2
    assert (listener.speakers[-1] == "local") is recovers
    assert sum(a != b for a, b in pairwise(listener.speakers)) == recovers
    assert listener.longest_silence_s <= 1.0


class Gathering(ScriptedBackend):
    """Sends a sentence whole, and empty chunks while it makes it, as for a watermark."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        made: list[AudioChunk] = []
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                made.append(chunk)
                if not chunk.final:
                    yield AudioChunk(b"", chunk.sample_rate_hz, chunk.sentence, chunk.speaker)
                    continue
                for one in made:
                    yield one
                made.clear()


async def test_empty_chunks_of_a_slow_engine_do_not_hide_how_slow_it_is() -> None:
    async with RouterRig(Mode.LOCAL, policy=NO_FALLBACK) as rig:
        local = Gathering(name="local", clock=rig.clock)
        await rig.router.set_local(local)
        local.always = ScriptStep(chunk_delay_s=0.3)
        assert_heard((await listen(rig)).chunks)
        factor = rig.router.status().backend("local").real_time_factor  # type: ignore[union-attr]
        assert factor is not None
        assert factor > 2.0


async def test_empty_chunks_of_a_slow_engine_do_not_keep_a_listener_waiting() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        local = Gathering(name="local", clock=rig.clock)
        await rig.router.set_local(local)
        rig.last.sample_rate_hz = 24_000
        local.always = ScriptStep(chunk_delay_s=1.5)
        heard = await listen(rig)
        assert_heard(heard.chunks)
        assert heard.longest_silence_s <= 5.0


class KeepsBack(ScriptedBackend):
    """Is heard, and then searches the end of the sentence for half a minute, with signs of life."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                if chunk.final:
                    for _ in range(30):
                        await self._clock.sleep(1.0)
                        yield AudioChunk(b"", chunk.sample_rate_hz, chunk.sentence, chunk.speaker)
                yield chunk


async def test_signs_of_life_behind_a_sentence_do_not_keep_a_listener_waiting() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        await rig.router.set_local(KeepsBack(name="local", clock=rig.clock))
        rig.last.sample_rate_hz = 24_000

        heard = await listen(rig)

        assert heard.speakers[-1] == "last_resort"
        assert heard.longest_silence_s <= 5.0


class Whole(ScriptedBackend):
    """Sends each sentence at once when it is whole, and nothing before: no sign of work."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        made: list[AudioChunk] = []
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                made.append(chunk)
                if chunk.final:
                    for one in made:
                        yield one
                    made.clear()


@pytest.fixture
async def whole() -> AsyncIterator[tuple[RouterRig, Whole]]:
    """A router whose local engine keeps up, and begins long sentences late."""
    async with RouterRig(Mode.LOCAL) as rig:
        rig.last.sample_rate_hz = 24_000
        local = Whole(name="local", clock=rig.clock)
        await rig.router.set_local(local)
        local.always = ScriptStep(chunk_delay_s=0.07)
        for _ in range(6):  # until it is known
            await listen(rig, LONG)
            await let_pass(rig, 60.0)
        yield rig, local


async def let_pass(rig: RouterRig, seconds: float) -> None:
    for _ in range(round(2 * seconds)):
        await rig.clock.advance(0.5)


async def test_a_sentence_known_to_begin_late_is_spoken_by_a_fallback(
    whole: tuple[RouterRig, Whole],
) -> None:
    rig, _ = whole
    for pause_s in (10.0, 400.0, 3_000.0):
        assert (await listen(rig, LONG)).longest_silence_s <= 1.0
        await let_pass(rig, pause_s)


async def test_only_a_sentence_that_would_begin_late_is_left_to_a_fallback(
    whole: tuple[RouterRig, Whole],
) -> None:
    rig, _ = whole

    assert (await listen(rig, "Cửa trước đang mở.")).speakers == ["local"]
    heard = await listen(rig, " ".join([LONG] * 6))
    assert heard.speakers[0] == "last_resort"
    assert heard.speakers[-1] == "local", "it makes the later ones while others are heard"
    assert heard.longest_silence_s <= 1.0


async def test_an_engine_that_begins_early_again_is_asked_again(
    whole: tuple[RouterRig, Whole],
) -> None:
    rig, local = whole
    local.always = ScriptStep(chunk_delay_s=0.01)
    await listen(rig, LONG)
    await let_pass(rig, 280.0)

    assert (await listen(rig, LONG)).speakers == ["local"]
