"""The pace of requests is that of all who share it."""

from __future__ import annotations

import asyncio

from fake_clock import FakeClock

from vieneu_core.request_pace import RequestPace


async def test_what_two_send_at_the_same_time_counts_together() -> None:
    clock = FakeClock()
    pace = RequestPace(clock, per_minute=60)
    begun_s = clock.monotonic()
    pace.sent(begun_s, 10)
    pace.sent(begun_s)

    waiting = asyncio.create_task(pace.wait())
    await clock.advance(10.5)
    assert not waiting.done()
    await clock.advance(1.0)
    assert waiting.done()


async def test_what_another_sends_meanwhile_is_waited_for_too() -> None:
    clock = FakeClock()
    pace = RequestPace(clock, per_minute=60)
    pace.sent(clock.monotonic())
    waiting = asyncio.create_task(pace.wait())
    await clock.advance(0.5)
    pace.sent(clock.monotonic(), 2)

    await clock.advance(2.0)
    assert not waiting.done()
    await clock.advance(0.5)
    assert waiting.done()


async def test_after_a_rest_nothing_is_waited_for() -> None:
    clock = FakeClock()
    pace = RequestPace(clock, per_minute=60)
    pace.sent(clock.monotonic(), 5)
    await clock.advance(60)
    pace.sent(clock.monotonic())
    await clock.advance(1)

    await asyncio.wait_for(pace.wait(), 1)
