"""Six requests at once on engines that make one sentence at a time: how long listeners wait."""

from __future__ import annotations

import asyncio

import pytest
from listener import Listener
from one_at_a_time import OneAtATime
from router_rig import RouterRig, assert_heard

from vieneu_core.router import Mode
from vieneu_core.synthesis import SynthesisRequest

SIX = tuple(
    tuple(f"Đây là câu {3 * k + n} của một bài đọc rất dài." for n in range(3)) for k in range(6)
)
BEFORE = tuple(f"Đây là câu {n} của một bản tin khác." for n in range(20, 26))


async def listen_to_six(speed: float, *, before: float | None) -> list[Listener]:
    """Hear six requests at once on an engine.

    Args:
        speed: How many times as fast as playback it is.
        before: Its speed in speech before; None if it did not speak yet.
    """
    async with RouterRig(Mode.LOCAL) as rig:
        local = OneAtATime("local", rig.clock, speed=before or speed)
        await rig.router.set_local(local)
        await rig.router.set_last_resort(OneAtATime("last_resort", rig.clock, speed=5.0))
        if before is not None:
            await Listener(rig.clock).listen(rig.router, SynthesisRequest(text=BEFORE))
        local.speed = speed
        listeners = [Listener(rig.clock) for _ in SIX]

        playing = [
            asyncio.create_task(listener._play(rig.router, SynthesisRequest(text=text)))
            for listener, text in zip(listeners, SIX, strict=True)
        ]
        while not all(task.done() for task in playing):
            await rig.clock.advance(0.05)
        await asyncio.gather(*playing)

    for listener, text in zip(listeners, SIX, strict=True):
        assert_heard([chunk for chunk in listener.chunks if not chunk.restarted], text)
    return listeners


@pytest.mark.parametrize(
    ("speed", "before", "longest_s"),
    [
        (0.9, 0.9, 2.0),
        (5.0, 5.0, 2.0),
        (5.0, None, 2.0),
        (0.7, None, 2.5),
        (0.9, None, 2.5),
        (1.1, None, 2.5),
        (1.5, None, 2.5),
        (0.9, 20.0, 2.5),
    ],
)
async def test_the_longest_wait_of_six_at_once(
    speed: float, before: float | None, longest_s: float
) -> None:
    listeners = await listen_to_six(speed, before=before)

    assert max(listener.longest_silence_s for listener in listeners) <= longest_s


@pytest.mark.parametrize(("speed", "before"), [(6.0, None), (20.0, 20.0)])
async def test_nobody_leaves_an_engine_that_is_fast_enough_for_six(
    speed: float, before: float | None
) -> None:
    listeners = await listen_to_six(speed, before=before)

    assert {speaker for listener in listeners for speaker in listener.speakers} == {"local"}
