"""What a backend did before: its real-time factor, and when its first audio usually comes."""

from __future__ import annotations

import pytest

from vieneu_core.router.measured_speed import MeasuredSpeed


def after(*first_audio_s: float) -> MeasuredSpeed:
    """Return the speed after sentences of 2 s whose first audio took so long."""
    speed = MeasuredSpeed()
    for seconds in first_audio_s:
        speed.measured(audio_s=2.0, waited_s=seconds + 0.4, first_audio_s=seconds)
    return speed


@pytest.mark.parametrize(
    ("before", "usual_s"),
    [
        ((), None),
        ((0.3,), 0.3),
        ((0.3, 6.0), 0.3),
        ((0.3, 0.2, 6.0, 0.3), 0.3),
        ((6.0, 5.5, 6.2), 6.0),
        ((6.0, 6.2, *[0.2] * 20), 0.2),
    ],
)
def test_one_pause_is_not_what_is_usual(before: tuple[float, ...], usual_s: float | None) -> None:
    assert after(*before).usual_first_audio_s == usual_s


def test_a_factor_is_known_after_four_seconds_and_forgotten_when_asked() -> None:
    speed = MeasuredSpeed()
    speed.measured(audio_s=1.0, waited_s=1.5, first_audio_s=0.5)
    assert speed.real_time_factor is None
    speed.measured(audio_s=3.0, waited_s=3.5, first_audio_s=0.5)
    assert speed.real_time_factor == pytest.approx(1.0)
    assert not speed.slower_than_playback
    speed.forget()
    assert (speed.real_time_factor, speed.usual_first_audio_s) == (None, None)


def test_no_audio_at_all_is_the_slowest() -> None:
    speed = MeasuredSpeed()
    speed.measured(audio_s=0.0, waited_s=5.0, first_audio_s=None)
    assert speed.slower_than_playback
    assert speed.seconds_for(1.0) >= 100.0


def test_two_at_once_take_half_the_speed_each() -> None:
    speed = MeasuredSpeed()
    speed.measured(audio_s=4.0, waited_s=4.5, first_audio_s=0.5, n_at_once=2)
    assert speed.real_time_factor == pytest.approx(0.5)
