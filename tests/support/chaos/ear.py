"""The ear: which sentences a listener hears, and when, found from samples and arrival times alone.

A listener plays each chunk as soon as it is there and the one before it is over. Every sentence of
the test engines is a tone of its own pitch (`vieneu_core.testing.tone`); every backend shifts all
of its pitches by a few hertz (`chaos.voice`), so that the ear also knows who speaks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from chaos.voice import VOICES
from numpy.typing import NDArray

from vieneu_core.testing.tone import STEP_HZ

UNKNOWN = "unknown"
"""The voice of a sound that is none of the tones."""
FRAME_S = 0.005
LEAST_FRAMES = 2
"""Anything shorter is a click."""
WINDOW_S = 0.05
LOUD = 0.03 * 32_767
PURE, TONAL = 0.97, 0.8
"""Least share of the energy around the pitch: of one tone, and of what is a tone at all."""
_Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sound:
    """A tone that was heard. Times are seconds of the clock that arrivals are given in."""

    hz: int
    """Pitch on the grid, which identifies the sentence; 0 for noise."""
    voice: str
    """The backend that speaks so, or `UNKNOWN`."""
    begins_s: float
    ends_s: float
    seconds: float
    """Length of the samples, without waits for the next chunk."""
    quiet_before_s: float
    """Length of the silent samples between this sound and the one before it."""
    waited_s: float
    """Longest wait for the next chunk within the sound."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk: its first sample, and when it is played."""

    start: int
    begins_s: float
    ends_s: float


class Ear:
    """Hears one stream of mono 16-bit samples."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._pcm = bytearray()
        self._rate_hz = 0

    @property
    def n_samples(self) -> int:
        """Number of samples so far."""
        return len(self._pcm) // 2

    @property
    def heard_until_s(self) -> float:
        """When all that arrived has been played; 0 before the first samples."""
        return self._pieces[-1].ends_s if self._pieces else 0.0

    def take(self, pcm: bytes, sample_rate_hz: int, at_s: float) -> None:
        """Take a chunk that arrived at this time."""
        self._rate_hz = self._rate_hz or sample_rate_hz
        if sample_rate_hz != self._rate_hz:
            raise ValueError("The sample rate changes within the stream.")
        if pcm:
            begins_s = max(at_s, self.heard_until_s)
            seconds = len(pcm) / 2 / sample_rate_hz
            self._pieces.append(_Piece(self.n_samples, begins_s, begins_s + seconds))
            self._pcm += pcm

    def sounds(self) -> list[Sound]:
        """Return all that was heard, in order."""
        samples = np.frombuffer(bytes(self._pcm), dtype="<i2").astype(np.float64)
        found: list[Sound] = []
        quiet_from = 0
        for start, end in _tones(samples, self._rate_hz):
            hz, voice = _identified(samples[start:end], self._rate_hz)
            found.append(
                Sound(
                    hz=hz,
                    voice=voice,
                    begins_s=self._played_at_s(start),
                    ends_s=self._played_at_s(end - 1),
                    seconds=(end - start) / self._rate_hz,
                    quiet_before_s=(start - quiet_from) / self._rate_hz,
                    waited_s=self._longest_wait_s(start, end),
                )
            )
            quiet_from = end
        return found

    def _played_at_s(self, sample: int) -> float:
        piece = self._pieces[self._index(sample)]
        return piece.begins_s + (sample - piece.start) / self._rate_hz

    def _longest_wait_s(self, start: int, end: int) -> float:
        within = self._pieces[self._index(start) : self._index(end - 1) + 1]
        return max((b.begins_s - a.ends_s for a, b in pairwise(within)), default=0.0)

    def _index(self, sample: int) -> int:
        return bisect_right(self._pieces, sample, key=lambda piece: piece.start) - 1


def _tones(samples: _Samples, rate_hz: int) -> Iterator[tuple[int, int]]:
    """Yield where the tones begin and end: loud runs, split where the pitch changes."""
    if not len(samples):
        return
    n_window = round(WINDOW_S * rate_hz)
    for start, end in _loud_runs(samples, round(FRAME_S * rate_hz)):
        if _purity(samples[start:end], rate_hz) >= PURE:
            yield start, end
            continue
        edges, last_hz = [start], 0.0
        for at in range(start, end - n_window + 1, n_window):
            hz = _pitch_hz(samples[at : at + n_window], rate_hz)
            if last_hz and abs(hz - last_hz) > STEP_HZ / 2:
                edges.append(at)
            last_hz = hz
        yield from zip(edges, [*edges[1:], end], strict=True)


def _loud_runs(samples: _Samples, n_frame: int) -> Iterator[tuple[int, int]]:
    n_frames = len(samples) // n_frame
    frames = samples[: n_frames * n_frame].reshape(n_frames, n_frame)
    loud = np.sqrt(np.mean(frames**2, axis=1)) > LOUD
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(np.int8), [0]])))
    for start, end in edges.reshape(-1, 2):
        if end - start >= LEAST_FRAMES:
            yield int(start) * n_frame, int(end) * n_frame


def _spectrum(samples: _Samples) -> tuple[_Samples, int]:
    """Return the magnitudes and the number of points, at least one for every 2 Hz or so."""
    n_fft = 1 << max(14, (len(samples) - 1).bit_length())
    return np.abs(np.fft.rfft(samples * np.hanning(len(samples)), n_fft)), n_fft


def _pitch_hz(samples: _Samples, rate_hz: int) -> float:
    spectrum, n_fft = _spectrum(samples)
    return float(np.argmax(spectrum)) * rate_hz / n_fft


def _purity(samples: _Samples, rate_hz: int) -> float:
    """Return the share of the energy at one pitch, as wide as a tone of this length has it."""
    spectrum, n_fft = _spectrum(samples)
    energy = spectrum**2
    width_hz = 6.0 + 2 * rate_hz / len(samples)
    n_width = int(width_hz * n_fft / rate_hz) + 1
    at = int(np.argmax(energy))
    around = energy[max(0, at - n_width) : at + n_width + 1]
    return float(np.sum(around) / np.sum(energy))


def _identified(samples: _Samples, rate_hz: int) -> tuple[int, str]:
    """Return pitch and voice of a tone; 0 and `UNKNOWN` if it is none."""
    if _purity(samples, rate_hz) < TONAL:
        return 0, UNKNOWN
    hz = _pitch_hz(samples, rate_hz)
    name = min(VOICES, key=lambda voice: abs(_off_grid_hz(hz - VOICES[voice])))
    return round((hz - VOICES[name]) / STEP_HZ) * STEP_HZ, name


def _off_grid_hz(hz: float) -> float:
    return hz - round(hz / STEP_HZ) * STEP_HZ
