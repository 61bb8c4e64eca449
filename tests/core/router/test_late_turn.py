"""A backend that was busy when a request came: its listener hears it again once it has room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise

import pytest
from listener import Listener
from one_at_a_time import OneAtATime
from router_rig import RouterRig, assert_heard, gather, speakers

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import BackendBusyError
from vieneu_core.router import Mode, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

READING = tuple(f"Đây là câu {n} của một bài đọc dài về thời tiết." for n in range(12))
OTHERS = tuple(f"Đây là câu {n} của một bản tin khác về giao thông." for n in range(12, 14))
MUCH_OTHER = tuple(f"Đây là câu {n} của một cuốn sách rất dài." for n in range(20, 60))


def busy_rig() -> RouterRig:
    rig = RouterRig(Mode.LOCAL, RouterPolicy())
    rig.last.sample_rate_hz = 24_000  # no thread resamples while the clock goes on
    rig.local.always = ScriptStep(chunk_delay_s=0.09)
    rig.last.always = ScriptStep(chunk_delay_s=0.05)
    return rig


async def spoken_beside(rig: RouterRig, others: tuple[str, ...]) -> list[str]:
    """Return who speaks each sentence of a reading that begins beside other speech."""
    await rig.speak()  # then its speed is known
    streams = [
        asyncio.create_task(gather(rig.router, SynthesisRequest(text=text)))
        for text in (others, READING)
    ]
    while not streams[1].done():
        await rig.clock.advance(0.05)
        await asyncio.sleep(0)
    chunks = streams[1].result()
    assert_heard([chunk for chunk in chunks if not chunk.restarted], READING)
    streams[0].cancel()
    await asyncio.gather(streams[0], return_exceptions=True)
    return speakers(chunks)


async def test_a_backend_that_was_busy_speaks_again_when_it_has_room() -> None:
    async with busy_rig() as rig:
        heard = await spoken_beside(rig, OTHERS)

    assert heard[:2] == ["last_resort"] * 2
    assert heard[-1] == "local"
    assert sum(a != b for a, b in pairwise(heard)) == 1


async def test_a_backend_that_stays_busy_is_not_asked_again_and_again() -> None:
    async with busy_rig() as rig:
        heard = await spoken_beside(rig, MUCH_OTHER)

    assert set(heard) == {"last_resort"}


@pytest.mark.parametrize("delay_s", [0.15, 0.3])
async def test_a_slow_backend_that_was_left_is_left_for_the_rest_of_the_request(
    delay_s: float,
) -> None:
    async with busy_rig() as rig:
        rig.local.always = ScriptStep(chunk_delay_s=delay_s)
        await rig.speak()
        heard = await spoken_beside(rig, OTHERS)

    assert set(heard) == {"last_resort"}


LONG = ("Đây là một câu rất dài của một cuốn sách, " * 6).rstrip(", ") + "."
SHORT = ("Cửa trước đang mở.",)


async def beside(rig: RouterRig, *texts: tuple[str, ...], apart_s: float = 0.3) -> list[Listener]:
    """Hear texts at once, each begun so many seconds after the one before."""
    listeners = [Listener(rig.clock) for _ in texts]
    playing: list[asyncio.Task[None]] = []
    for listener, text in zip(listeners, texts, strict=True):
        play = listener._play(rig.router, SynthesisRequest(text=text))
        playing.append(asyncio.create_task(play))
        for _ in range(round(apart_s / 0.05)):
            await rig.clock.advance(0.05)
    while not all(task.done() for task in playing):
        await rig.clock.advance(0.05)
    await asyncio.gather(*playing)
    return listeners


async def test_an_announcement_does_not_wait_behind_a_long_sentence() -> None:
    async with busy_rig() as rig:
        await rig.router.set_local(OneAtATime("local", rig.clock, speed=2.0))
        await beside(rig, READING)  # then its speed is known

        _, announcement = await beside(rig, (LONG,), SHORT)

    assert announcement.longest_silence_s <= 0.5
    assert announcement.speakers == ["last_resort"]


async def test_a_turn_that_is_late_is_no_failure_and_changes_the_voice_of_no_reading() -> None:
    async with busy_rig() as rig:
        await rig.router.set_local(OneAtATime("local", rig.clock, speed=1.2))

        reading, *late = await beside(rig, READING, (LONG,), (LONG,), SHORT, SHORT)
        status = rig.router.status().backend("local")

    assert any(one.speakers[0] == "last_resort" for one in late)
    assert set(reading.speakers) == {"local"}
    assert status is not None
    assert status.last_error is None


async def test_new_requests_know_that_a_turn_was_just_late() -> None:
    async with busy_rig() as rig:
        await rig.router.set_local(OneAtATime("local", rig.clock, speed=0.8))

        _, first, second = await beside(rig, (LONG,), SHORT, SHORT, apart_s=2.3)

    assert first.speakers == second.speakers == ["last_resort"]
    assert second.longest_silence_s <= 0.5


@pytest.mark.parametrize("busy", [0, 1], ids=["the choice", "the other fallback"])
async def test_a_backend_that_was_only_late_speaks_where_the_last_one_hangs(busy: int) -> None:
    policy = RouterPolicy(
        replaceable_stall_s=0.05, first_audio_s=0.05, stall_s=500.0, retry_for_s=500.0
    )
    async with RouterRig(Mode.REMOTE, policy) as rig, asyncio.timeout(60):
        hangs = ScriptStep(hold=asyncio.Event())
        late = ScriptStep(error=BackendBusyError("The queue is full."))
        asked = (rig.remote, rig.local)
        asked[busy].script = [late]
        asked[1 - busy].always = hangs
        rig.last.always = hangs

        chunks = await rig.speak(SHORT[0])

    assert speakers(chunks) == [asked[busy].name]


class SlowToBegin(ScriptedBackend):
    """Its first audio comes after a real time, without a sign before."""

    first_audio_s: float

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        await asyncio.sleep(self.first_audio_s)
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk


class SilentInLine(ScriptedBackend):
    """Shows once that requests wait for their turn, which never comes."""

    n_asked = 0

    async def stream(self, _: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        self.n_asked += 1
        speaker = Speaker(backend=self.name, engine="", voice="")
        yield AudioChunk(b"", 24_000, 0, speaker, waiting=True)
        await asyncio.Event().wait()


async def test_a_turn_of_which_nothing_more_is_heard_is_late_and_no_failure() -> None:
    policy = RouterPolicy(replaceable_stall_s=0.3)
    async with RouterRig(Mode.LOCAL, policy) as rig:
        silent = SilentInLine(name="local", clock=rig.clock)
        await rig.router.set_local(silent)

        heard = [speakers(await rig.speak(text)) for text in ("Đây là câu 1.", "Đây là câu 2.")]
        status = rig.router.status().backend("local")

    assert heard == [["last_resort"]] * 2
    assert silent.n_asked == 1, "the second one knows that the turn was late"
    assert status is not None
    assert status.last_error is None


async def test_a_fallback_that_is_only_slow_is_not_left_again_and_again_for_a_busy_choice() -> None:
    policy = RouterPolicy(replaceable_stall_s=0.05, first_audio_s=0.05, stall_s=500.0)
    async with RouterRig(Mode.LOCAL, policy) as rig, asyncio.timeout(60):
        busy = BackendBusyError("The queue is full.", retry_after_s=0.0)
        rig.local.always = ScriptStep(error=busy)
        slow = SlowToBegin(name="last_resort", clock=rig.clock)
        slow.first_audio_s = 0.5
        await rig.router.set_last_resort(slow)

        chunks = await rig.speak(SHORT[0])

    assert speakers(chunks) == ["last_resort"]


async def test_a_fallback_that_is_only_slow_is_awaited_where_nothing_is_retried() -> None:
    policy = RouterPolicy(
        replaceable_stall_s=0.05, first_audio_s=0.05, stall_s=500.0, retry_for_s=0.0
    )
    async with RouterRig(Mode.LOCAL, policy) as rig, asyncio.timeout(60):
        rig.local.always = ScriptStep(error=BackendBusyError("Busy.", retry_after_s=0.0))
        slow = SlowToBegin(name="last_resort", clock=rig.clock)
        slow.first_audio_s = 0.5
        await rig.router.set_last_resort(slow)

        assert speakers(await rig.speak(SHORT[0])) == ["last_resort"]
