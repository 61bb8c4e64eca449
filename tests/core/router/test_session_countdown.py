"""The session clock: warnings before the end, and no long speech near it."""

from __future__ import annotations

import math

from fake_clock import FakeClock

from vieneu_core.router.session_countdown import SessionClock, SessionPolicy

HOUR = 3600.0


def session(clock: FakeClock) -> SessionClock:
    return SessionClock(policy=SessionPolicy(), clock=clock)


async def test_twelve_hours_bring_each_warning_once() -> None:
    clock = FakeClock()
    one = session(clock)
    one.observe(12 * HOUR)
    due = []
    for minute in range(12 * 60 + 5):
        mark = one.due()
        if mark is not None:
            due.append((minute, mark))
        await clock.advance(60)
        if minute % 10 == 0:
            one.observe(max(0.0, 12 * HOUR - (minute + 1) * 60 - minute % 3))
    assert due == [(690, 1800.0), (715, 300.0), (720, 0.0)]


async def test_it_counts_down_without_asking_and_never_below_zero() -> None:
    clock = FakeClock()
    one = session(clock)
    assert one.remaining_s is None
    assert one.next_due_in_s() == math.inf
    one.observe(2000.0)
    await clock.advance(500)
    assert one.remaining_s == 1500.0
    await clock.advance(5000)
    assert one.remaining_s == 0.0


def test_the_next_mark_is_known_so_that_someone_can_wake_for_it() -> None:
    one = session(FakeClock())
    one.observe(2000.0)
    assert one.next_due_in_s() == 200.0


def test_a_session_met_late_is_announced_once_by_its_nearest_mark() -> None:
    one = session(FakeClock())
    one.observe(200.0)
    assert one.due() == 300.0
    assert one.due() is None


async def test_a_new_session_warns_anew() -> None:
    clock = FakeClock()
    one = session(clock)
    one.observe(1000.0)
    assert one.due() == 1800.0
    one.observe(12 * HOUR)
    assert one.due() is None
    await clock.advance(11.6 * HOUR)
    assert one.due() == 1800.0


def test_a_server_without_an_end_has_time_for_everything() -> None:
    one = session(FakeClock())
    one.observe(500.0)
    one.observe(None)
    assert one.remaining_s is None
    assert one.due() is None
    assert one.has_time_for(1e9)


def test_near_the_end_only_what_fits_may_start() -> None:
    one = session(FakeClock())
    one.observe(601.0)
    assert one.has_time_for(10_000.0)
    one.observe(599.0)
    assert one.has_time_for(598.0)
    assert not one.has_time_for(600.0)
