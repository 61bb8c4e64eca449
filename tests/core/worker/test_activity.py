"""An engine is known by the silences of its recent sentences."""

from __future__ import annotations

from fake_clock import FakeClock

from vieneu_core.worker.activity import Activity


async def sentence(activity: Activity, clock: FakeClock, *silences_s: float) -> None:
    activity.begin()
    for seconds in silences_s:
        await clock.advance(seconds)
        activity.sign()
    activity.end()


async def test_until_enough_is_known_only_the_longest_limit_counts(clock: FakeClock) -> None:
    activity = Activity(clock, longest_s=30.0)
    for _ in range(2):
        await sentence(activity, clock, 0.1, 0.1)
    activity.begin()

    await clock.advance(29.0)
    assert activity.usual
    await clock.advance(2.0)
    assert not activity.usual
    assert activity.silent_s == 31.0


async def test_a_silence_twice_as_long_as_any_before_is_unusual(clock: FakeClock) -> None:
    activity = Activity(clock, longest_s=30.0)
    for longest_s in (0.5, 3.0, 0.2):
        await sentence(activity, clock, 0.1, longest_s, 0.1)
    activity.begin()

    await clock.advance(5.9)
    assert activity.usual
    await clock.advance(0.2)
    assert not activity.usual
    activity.sign()
    assert activity.usual, "it works again"


async def test_a_fast_engine_has_a_second_all_the_same(clock: FakeClock) -> None:
    activity = Activity(clock, longest_s=30.0)
    for _ in range(3):
        await sentence(activity, clock, 0.01)
    activity.begin()

    await clock.advance(0.9)
    assert activity.usual
    await clock.advance(0.2)
    assert not activity.usual


async def test_a_slow_engine_is_never_given_more_than_the_longest_limit(clock: FakeClock) -> None:
    activity = Activity(clock, longest_s=30.0)
    for _ in range(3):
        await sentence(activity, clock, 20.0)
    activity.begin()

    await clock.advance(30.5)

    assert not activity.usual
