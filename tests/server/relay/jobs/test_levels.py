"""Levels and silence as they are measured, and how they are made equal."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from vieneu_colab_server.relay.jobs.levels import TARGET_DBFS, Level, amplified, gain_of, measure

RATE_HZ = 24_000


def tone(amplitude: float, seconds: float = 1.0, *, rate_hz: int = RATE_HZ) -> bytes:
    n = np.arange(round(seconds * rate_hz))
    return (amplitude * 32767 * np.sin(2 * math.pi * 440 * n / rate_hz)).astype("<i2").tobytes()


def quiet(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE_HZ))


def level_dbfs(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, dtype="<i2") / 32768
    return float(10 * np.log10(np.mean(samples**2)))


def test_silence_at_the_ends_is_measured_and_does_not_count_as_soft_speech() -> None:
    level = measure(quiet(0.25) + tone(0.5) + quiet(0.4), RATE_HZ)
    assert level.lead_s == pytest.approx(0.25, abs=0.011)
    assert level.trail_s == pytest.approx(0.4, abs=0.011)
    assert level.peak == pytest.approx(0.5, abs=0.01)
    assert gain_of([level]) == pytest.approx(gain_of([measure(tone(0.5), RATE_HZ)]), rel=0.02)


@pytest.mark.parametrize("amplitude", [0.05, 0.1, 0.3, 0.5])
def test_every_voice_comes_to_the_same_level(amplitude: float) -> None:
    pcm = tone(amplitude)
    louder = amplified(pcm, gain_of([measure(pcm, RATE_HZ)]))
    assert level_dbfs(louder) == pytest.approx(TARGET_DBFS, abs=0.3)


def test_sentences_of_one_voice_keep_their_difference() -> None:
    soft, loud = tone(0.05), tone(0.2)
    gain = gain_of([measure(soft, RATE_HZ), measure(loud, RATE_HZ)])
    difference = level_dbfs(amplified(loud, gain)) - level_dbfs(amplified(soft, gain))
    assert difference == pytest.approx(12.0, abs=0.2)


def test_noise_is_not_made_loud_and_nothing_is_clipped() -> None:
    assert gain_of([measure(tone(0.001), RATE_HZ)]) == 1.0
    assert gain_of([measure(tone(0.01), RATE_HZ)]) == pytest.approx(10 ** (12 / 20))
    spike = tone(0.02) + tone(0.95, 0.002) + tone(0.02)
    samples = np.frombuffer(amplified(spike, gain_of([measure(spike, RATE_HZ)])), dtype="<i2")
    assert np.abs(samples.astype(int)).max() <= 0.9 * 32768


def test_odd_lengths_and_nothing_at_all_are_measured() -> None:
    assert measure(b"", RATE_HZ) == Level()
    assert gain_of([]) == gain_of([Level()]) == 1.0
    assert measure(b"\x00\x40", RATE_HZ).n_frames == 1
    for one, other in pairwise(range(238, 244)):
        assert measure(tone(0.5)[: 2 * one], RATE_HZ).n_frames <= (other + 239) // 240
    assert amplified(b"", 2.0) == b""
    assert amplified(b"\x00\x80", 3.0) == b"\x00\x80", "clipped at full scale"
