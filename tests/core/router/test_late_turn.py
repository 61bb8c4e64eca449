"""A backend that was busy when a request came: its listener hears it again once it has room."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from router_rig import RouterRig, assert_heard, gather, speakers

from vieneu_core.router import Mode, RouterPolicy
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep

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
