"""Speech on several channels that comes in parts: mixed, or one channel where a mix is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tones import tone

from vieneu_core.audio.mixing import ChannelMixer

Signal = NDArray[np.int16]
VOICE = np.frombuffer(tone(440, 1.0, 16_000), "<i2")
QUIET = np.zeros_like(VOICE)


def mixed(*channels: Signal, part: int = 160) -> Signal:
    rows = np.stack(channels, axis=1)
    mixer = ChannelMixer(len(channels))
    return np.frombuffer(
        b"".join(mixer.push(rows[at : at + part]) for at in range(0, len(rows), part)), "<i2"
    )


@pytest.mark.parametrize("part", [1, 160, 100_000])
def test_channels_of_opposite_phase_are_one_of_them_without_a_change(part: int) -> None:
    assert (mixed(VOICE, -VOICE, part=part) == VOICE).all()


def test_the_louder_of_two_does_not_change_from_part_to_part() -> None:
    swell = np.linspace(0.9, 1.1, len(VOICE))
    left, right = (VOICE * swell).astype("<i2"), (-VOICE * swell[::-1]).astype("<i2")

    assert (mixed(left, right) == left).all()


@pytest.mark.parametrize("factor", [1.0, 0.5, 0.0, -0.4])
def test_others_are_mixed(factor: float) -> None:
    other = (VOICE * factor).astype("<i2")

    assert np.abs(mixed(VOICE, other) - (VOICE + other) / 2.0).max() <= 1


def test_noise_of_opposite_phase_before_a_word_takes_no_channel_from_it() -> None:
    """The word is on one channel alone, and not on the one that the noise would choose."""
    noise = np.tile(np.array([1, -1], "<i2"), 800)

    heard = mixed(np.concatenate([noise, QUIET]), np.concatenate([-noise, VOICE]))

    word = heard[len(noise) :]
    assert np.abs(word[160:] - VOICE[160:] / 2.0).max() <= 1


def test_silence_stays_silence() -> None:
    assert not mixed(QUIET, QUIET).any()
