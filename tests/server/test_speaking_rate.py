"""The rate of an engine comes from its traffic alone."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock

from vieneu_colab_server.speaking_rate import SpeakingRate


async def test_the_rate_is_audio_by_time_of_work(clock: FakeClock) -> None:
    rate = SpeakingRate(clock)
    rate.begin()
    await clock.advance(1.0)
    rate.made(2.0)
    assert rate.value is None, "two seconds say little"
    await clock.advance(1.0)
    rate.made(2.0)

    assert rate.value == pytest.approx(2.0, rel=0.02)


async def test_time_without_work_does_not_count(clock: FakeClock) -> None:
    rate = SpeakingRate(clock)
    for _ in range(3):
        rate.begin()
        await clock.advance(2.0)
        rate.made(6.0)
        rate.end()
        await clock.advance(1_000.0)

    assert rate.value == pytest.approx(3.0, rel=0.03)


async def test_requests_side_by_side_are_one_work(clock: FakeClock) -> None:
    rate = SpeakingRate(clock)
    rate.begin()
    rate.begin()
    await clock.advance(2.0)
    rate.made(3.0)
    rate.made(3.0)
    rate.end()
    await clock.advance(2.0)
    rate.made(6.0)
    rate.end()

    assert rate.value == pytest.approx(3.0, rel=0.03)


async def test_what_is_made_for_nobody_that_counts_is_ignored(clock: FakeClock) -> None:
    rate = SpeakingRate(clock)
    rate.made(100.0)

    assert rate.value is None


async def test_an_engine_that_slows_down_is_noticed_within_minutes(clock: FakeClock) -> None:
    rate = SpeakingRate(clock)
    rate.begin()
    for _ in range(600):
        await clock.advance(1.0)
        rate.made(5.0)
    for _ in range(240):
        await clock.advance(1.0)
        rate.made(0.5)

    assert rate.value == pytest.approx(0.5 + 4.5 / 16, rel=0.05)


async def test_an_engine_that_makes_nothing_any_more_has_the_lowest_rate(clock: FakeClock) -> None:
    rate = SpeakingRate(clock)
    rate.begin()
    await clock.advance(1.0)
    rate.made(5.0)
    await clock.advance(10_000.0)

    assert rate.value == 0.001
