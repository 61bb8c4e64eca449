"""What a backend did before: its real-time factor, and when its first audio usually comes."""

from __future__ import annotations

import pytest

from vieneu_core.router.measured_speed import MadeSentence, MeasuredSpeed


def made(
    audio_s: float, waited_s: float, first_audio_s: float | None, *, estimated_s: float = 2.0
) -> MadeSentence:
    return MadeSentence(
        audio_s=audio_s,
        waited_s=waited_s,
        first_audio_s=first_audio_s,
        estimated_s=estimated_s,
    )


def after(*first_audio_s: float) -> MeasuredSpeed:
    """Return the speed after sentences of 2 s whose first audio took so long."""
    speed = MeasuredSpeed()
    for seconds in first_audio_s:
        speed.measured(made(2.0, seconds + 0.4, seconds))
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
    speed.measured(made(1.0, 1.5, 0.5))
    assert speed.real_time_factor is None
    speed.measured(made(3.0, 3.5, 0.5))
    assert speed.real_time_factor == pytest.approx(1.0)
    assert not speed.slower_than_playback
    speed.forget()
    assert (speed.real_time_factor, speed.usual_first_audio_s) == (None, None)


def test_no_audio_at_all_is_the_slowest() -> None:
    speed = MeasuredSpeed()
    speed.measured(made(0.0, 5.0, None))
    assert speed.slower_than_playback
    assert speed.seconds_for(1.0) >= 100.0


def test_two_at_once_take_half_the_speed_each() -> None:
    speed = MeasuredSpeed()
    speed.measured(made(4.0, 4.5, 0.5), n_at_once=2)
    assert speed.real_time_factor == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("sentences", "sounds_in_s"),
    [
        ([], 0.0),
        ([made(1.0, 1.0, 1.0)], 0.0),  # too little is known
        ([made(5.0, 4.0, 4.0, estimated_s=6.0)], 8.0),  # whole, half as long
        ([made(5.0, 4.0, 3.9, estimated_s=24.0)], 1.95),  # whole, twice as long
        ([made(5.0, 4.0, 2.0)], 2.0),  # as it is made: the length does not matter
        ([made(5.0, 4.0, 2.0), made(5.0, 4.0, 3.0), made(5.0, 4.0, 2.5)], 2.0),
        ([made(5.0, 4.0, 0.1), *[made(5.0, 4.0, 3.0)] * 3], 3.0),  # what is long ago is over
        ([*[made(5.0, 4.0, 3.0)] * 3, made(5.0, 4.0, 0.1)], 0.1),
        ([made(5.0, 10.5, 0.5)], 24.0),  # slower than playback: when it is whole
    ],
)
def test_when_a_sentence_sounds_is_known_from_those_before(
    sentences: list[MadeSentence], sounds_in_s: float
) -> None:
    speed = MeasuredSpeed()
    for sentence in sentences:
        speed.measured(sentence)

    assert speed.sounds_in_s(12.0) == pytest.approx(sounds_in_s)
