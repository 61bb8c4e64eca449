"""An engine is known by the silences of its recent sentences."""

from __future__ import annotations

from fake_clock import FakeClock

from vieneu_core.worker.activity import Activity


async def sentence(
    activity: Activity, clock: FakeClock, *silences_s: float, n_chars: int = 20
) -> None:
    activity.begin(n_chars)
    for seconds in silences_s:
        await clock.advance(seconds)
        activity.sign()
    activity.end()


async def test_until_enough_is_known_only_the_longest_limit_counts(clock: FakeClock) -> None:
    activity = Activity(clock, longest_s=30.0)
    for _ in range(2):
        await sentence(activity, clock, 0.1, 0.1)
    activity.begin(20)

    await clock.advance(29.0)
    assert activity.usual
    await clock.advance(2.0)
    assert not activity.usual
    assert activity.silent_s == 31.0


async def test_a_silence_twice_as_long_as_any_before_is_unusual(clock: FakeClock) -> None:
    activity = Activity(clock, longest_s=30.0)
    for longest_s in (0.5, 3.0, 0.2):
        await sentence(activity, clock, 0.1, longest_s, 0.1)
    activity.begin(20)

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
    activity.begin(20)

    await clock.advance(0.9)
    assert activity.usual
    await clock.advance(0.2)
    assert not activity.usual


async def test_a_slow_engine_is_never_given_more_than_the_longest_limit(clock: FakeClock) -> None:
    activity = Activity(clock, longest_s=30.0)
    for _ in range(3):
        await sentence(activity, clock, 20.0)
    activity.begin(20)

    await clock.advance(30.5)

    assert not activity.usual


async def hangs_after(clock: FakeClock, n_chars: int, *silences: tuple[float, int]) -> float:
    activity = Activity(clock, longest_s=30.0)
    for longest_s, n in silences:
        await sentence(activity, clock, longest_s, n_chars=n)
    activity.begin(n_chars)
    return activity.hang_after_s


async def test_a_hang_is_told_by_what_the_engine_did_before(clock: FakeClock) -> None:
    assert await hangs_after(clock, 20, (2.0, 20), (1.0, 20)) == 30.0, "too little is known"
    assert await hangs_after(clock, 20, (0.1, 20), (0.1, 20), (0.1, 20)) == 3.0
    assert await hangs_after(clock, 20, (0.1, 20), (2.0, 20), (0.1, 20)) == 8.0
    assert await hangs_after(clock, 20, (9.0, 20), (9.0, 20), (9.0, 20)) == 30.0


async def test_a_longer_sentence_may_be_silent_for_longer(clock: FakeClock) -> None:
    short = [(0.5, 10)] * 3

    assert await hangs_after(clock, 100, *short) == 20.0
    assert await hangs_after(clock, 5, *short) == 3.0


async def test_an_engine_that_was_taken_for_hung_gets_the_longest_limit_next(
    clock: FakeClock,
) -> None:
    activity = Activity(clock, longest_s=30.0)
    for _ in range(3):
        await sentence(activity, clock, 0.1)
    activity.begin(20)

    activity.hung()
    activity.begin(20)
    assert activity.hang_after_s == 30.0

    await sentence(activity, clock, 6.0)
    activity.begin(20)
    assert activity.hang_after_s == 24.0, "it worked, and that silence is known now"
