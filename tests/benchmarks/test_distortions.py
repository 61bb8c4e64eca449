from __future__ import annotations

import numpy as np
import pytest
from distortions import at_8_khz, in_bands, noisy, unchanged, vocoded
from numpy.typing import NDArray
from recogniser import HEARD_HZ, resampled

SAMPLES = NDArray[np.int16]


def tones(*frequencies_hz: float) -> SAMPLES:
    at_s = np.arange(HEARD_HZ) / HEARD_HZ
    waves = [np.sin(2 * np.pi * each * at_s) for each in frequencies_hz]
    return np.asarray(8_000 * np.sum(waves, axis=0) / len(waves), np.int16)


def power(samples: SAMPLES, from_hz: float, to_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / HEARD_HZ)
    return float(spectrum[(frequencies >= from_hz) & (frequencies < to_hz)].sum())


@pytest.mark.parametrize("distort", [unchanged, at_8_khz, noisy(10), vocoded, in_bands])
def test_the_length_stays(distort: object) -> None:
    assert callable(distort)
    clip = tones(440)[:15_001]
    worse = distort(clip)

    assert worse.dtype == np.int16
    assert len(worse) == pytest.approx(len(clip), abs=2)


def test_at_8_khz_nothing_above_4_khz_is_left() -> None:
    worse = at_8_khz(tones(500, 6_000))

    assert power(worse, 4_200, 8_000) < 1e-4 * power(worse, 400, 600)


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_noise_has_the_stated_power(snr_db: float) -> None:
    clip = tones(440)
    noise = noisy(snr_db)(clip).astype(np.float64) - clip
    powers = np.mean(clip.astype(np.float64) ** 2) / np.mean(noise**2)

    assert 10 * np.log10(powers) == pytest.approx(snr_db, abs=0.5)


def test_a_clip_from_its_magnitudes_keeps_its_spectrum_but_not_its_samples() -> None:
    clip = tones(300, 1_200)
    worse = vocoded(clip)

    assert power(worse, 280, 320) + power(worse, 1_180, 1_220) > 0.9 * power(worse, 0, 8_000)
    assert np.abs(worse.astype(int) - clip).mean() > 500


def test_noise_in_bands_keeps_energies_but_no_tone() -> None:
    clip = tones(1_000)
    worse = in_bands(clip)

    assert power(worse, 700, 1_400) > 0.8 * power(worse, 0, 8_000)
    assert power(worse, 995, 1_005) < 0.5 * power(worse, 700, 1_400)
    assert not in_bands(np.zeros(4_000, np.int16)).any()


def test_clips_are_resampled_by_the_programs_own_resampler() -> None:
    heard = resampled(tones(440).tobytes(), HEARD_HZ, 22_050)

    assert len(heard) == pytest.approx(22_050, abs=50)
    assert np.array_equal(resampled(tones(440).tobytes(), HEARD_HZ), tones(440))
