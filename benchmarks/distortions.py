"""Clips of a person made worse in known ways, so that it is known what an error rate means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from recogniser import HEARD_HZ, resampled

_WINDOW, _STEP = 512, 128
"""Samples of an analysis window and of a step: 32 ms and 8 ms."""
N_BANDS = 16
N_ITERATIONS = 32

Samples = NDArray[np.int16]


def unchanged(samples: Samples) -> Samples:
    """Return a clip as it is."""
    return samples


def at_8_khz(samples: Samples) -> Samples:
    """Return a clip with what a telephone leaves of it: nothing above 4 kHz."""
    return resampled(resampled(samples.tobytes(), HEARD_HZ, 8_000).tobytes(), 8_000)


def noisy(snr_db: float) -> Callable[[Samples], Samples]:
    """Return a function that adds white noise.

    Args:
        snr_db: Power of the clip over that of the noise, in decibels.
    """

    def add_noise(samples: Samples) -> Samples:
        rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
        noise = np.random.default_rng(0).normal(size=len(samples))
        return _rounded(samples + noise * rms / 10 ** (snr_db / 20))

    return add_noise


def vocoded(samples: Samples) -> Samples:
    """Return a clip rebuilt from the magnitudes of its spectrum alone.

    The phases are those of Griffin and Lim: D. Griffin, J. Lim, "Signal Estimation from Modified
    Short-Time Fourier Transform", IEEE Trans. ASSP 32 (1984), from random ones.
    """
    magnitudes = np.abs(_spectrum(samples.astype(np.float64)))
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, magnitudes.shape)
    spectrum = magnitudes * np.exp(1j * angles)
    for _ in range(N_ITERATIONS):
        again = _spectrum(_signal(spectrum, len(samples)))
        spectrum = magnitudes * np.exp(1j * np.angle(again))
    return _rounded(_signal(spectrum, len(samples)))


def in_bands(samples: Samples) -> Samples:
    """Return a clip as noise in `N_BANDS` bands with the clip's energies: a noise vocoder.

    The bands are equally wide on the mel scale (O'Shaughnessy's formula) up to 8 kHz; the pitch,
    and with it most of a Vietnamese tone, is lost.
    """
    noise = np.random.default_rng(0).normal(size=len(samples))
    clip, carrier = _spectrum(samples.astype(np.float64)), _spectrum(noise)
    mel = 2595 * np.log10(1 + np.linspace(0, HEARD_HZ / 2, clip.shape[1]) / 700)
    band = np.minimum((mel / mel[-1] * N_BANDS).astype(int), N_BANDS - 1)
    for number in range(N_BANDS):
        inside = band == number
        energy = np.sqrt((np.abs(clip[:, inside]) ** 2).sum(1))
        own = np.sqrt((np.abs(carrier[:, inside]) ** 2).sum(1))
        carrier[:, inside] *= (energy / np.maximum(own, 1e-9))[:, None]
    return _rounded(_signal(carrier, len(samples)))


def _spectrum(signal: NDArray[np.float64]) -> NDArray[np.complex128]:
    n_frames = -(-len(signal) // _STEP) + _WINDOW // _STEP
    padded = np.zeros(n_frames * _STEP + _WINDOW)
    padded[_WINDOW : _WINDOW + len(signal)] = signal
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP]
    return np.asarray(np.fft.rfft(frames * np.hanning(_WINDOW)), np.complex128)


def _signal(spectrum: NDArray[np.complex128], n_samples: int) -> NDArray[np.float64]:
    """Return the signal whose spectrum is nearest, by overlap and add."""
    window = np.hanning(_WINDOW)
    frames = np.fft.irfft(spectrum, _WINDOW) * window
    out = np.zeros(len(frames) * _STEP + _WINDOW)
    weight = np.full(len(out), 1e-9)
    for number, frame in enumerate(frames):
        at = slice(number * _STEP, number * _STEP + _WINDOW)
        out[at] += frame
        weight[at] += window**2
    inside = slice(_WINDOW, _WINDOW + n_samples)
    return np.asarray(out[inside] / weight[inside], np.float64)


def _rounded(samples: NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
