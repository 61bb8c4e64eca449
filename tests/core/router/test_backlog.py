"""Estimates of how long a request waits for its turn on a backend."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock

from vieneu_core.router.backlog import Backlog, RunningSpeech
from vieneu_core.router.measured_speed import MadeSentence, MeasuredSpeed

FACTOR = 0.25
"""Seconds for a second of audio."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def backlog(clock: FakeClock) -> Backlog:
    """A backend of known speed."""
    backlog = Backlog(MeasuredSpeed(), clock)
    sentence = MadeSentence(
        audio_s=40.0, waited_s=40.0 * FACTOR, first_audio_s=0.1, estimated_s=40.0
    )
    backlog.speed.measured(sentence)
    return backlog


def begun(speech: RunningSpeech) -> None:
    """Make its first sentence audible, and begin the next one."""
    speech.begins()
    speech.spoke()
    speech.begins()


def test_the_turn_of_a_long_sentence_is_as_long_as_the_sentence(backlog: Backlog) -> None:
    with backlog.running(20.0):
        assert backlog.wait_s(begun=False) == pytest.approx(20.0 * FACTOR, abs=0.1)


async def test_a_sentence_is_made_on_while_nobody_takes_it(
    backlog: Backlog, clock: FakeClock
) -> None:
    with backlog.running(4.0, 20.0, 20.0) as reading:
        begun(reading)
        assert backlog.wait_s(begun=False) == pytest.approx(5.0, abs=0.1)
        await clock.advance(4.0)
        assert backlog.wait_s(begun=False) == pytest.approx(1.0, abs=0.1)
        await clock.advance(4.0)
        assert backlog.wait_s(begun=False) == 0.0


async def test_of_two_readings_the_sentence_that_is_being_made_counts(
    backlog: Backlog, clock: FakeClock
) -> None:
    with backlog.running(4.0, 20.0) as made, backlog.running(4.0, 30.0) as waiting:
        begun(made)
        waiting.spoke()
        await clock.advance(4.0)
        assert backlog.wait_s(begun=False) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("begun_before", [False, True])
async def test_a_late_turn_is_expected_again_while_what_it_waited_for_goes_on(
    backlog: Backlog, clock: FakeClock, *, begun_before: bool
) -> None:
    with backlog.running(0.0):
        with backlog.running(2.0) as late:
            late.gives_up(7.0)
        assert backlog.wait_s(begun=begun_before) == (0.0 if begun_before else 7.0)
        await clock.advance(2.5)
        assert backlog.wait_s(begun=begun_before) == 0.0


def test_a_late_turn_is_forgotten_once_what_it_waited_for_has_ended(backlog: Backlog) -> None:
    with backlog.running(0.0), backlog.running(2.0) as late:
        late.gives_up(7.0)

    assert backlog.wait_s(begun=False) == 0.0
