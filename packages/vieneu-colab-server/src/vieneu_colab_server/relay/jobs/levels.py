"""Levels and silence of spoken sentences, so that voices and backends can be joined evenly.

Blocking: numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE

TARGET_DBFS = -20.0
"""Level of speech where it is heard, about what podcasts have."""
MOST_DB = 12.0
"""No voice is made louder or softer by more."""
_PEAK = 0.89
"""-1 dBFS: codecs overshoot."""
_FULL_SCALE = 32_768.0
_FRAME_S = 0.01
_HEARD = 0.004
"""Of full scale, -48 dBFS: below it there is only the noise of a codec."""


class Level(BaseModel):
    """What is measured of one sentence."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    energy: float = 0.0
    """Sum of the mean squares of all frames that are heard; full scale is 1."""
    n_frames: int = 0
    """Frames of 10 ms that are heard."""
    peak: float = 0.0
    lead_s: float = 0.0
    """Silence at the start; at the end it is ``trail_s``."""
    trail_s: float = 0.0


def measure(pcm: bytes, sample_rate_hz: int) -> Level:
    """Measure a sentence: mono signed 16-bit samples."""
    import numpy as np

    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(_FULL_SCALE)
    if not len(samples):
        return Level()
    n_frame = max(1, round(_FRAME_S * sample_rate_hz))
    padded = np.pad(samples, (0, -len(samples) % n_frame)).reshape(-1, n_frame)
    powers = (padded * padded).mean(axis=1)
    heard = np.flatnonzero(powers > _HEARD**2)
    seconds = len(samples) / sample_rate_hz
    if not len(heard):
        return Level(peak=float(np.abs(samples).max()), lead_s=seconds)
    return Level(
        energy=float(powers[heard].sum()),
        n_frames=len(heard),
        peak=float(np.abs(samples).max()),
        lead_s=float(heard[0]) * n_frame / sample_rate_hz,
        trail_s=max(0.0, seconds - float(heard[-1] + 1) * n_frame / sample_rate_hz),
    )


def gain_of(levels: Iterable[Level]) -> float:
    """Return the factor that brings all sentences of one voice to `TARGET_DBFS`.

    It is one for the whole voice: what is said softly stays softer.
    """
    known = list(levels)
    n_frames = sum(level.n_frames for level in known)
    if not n_frames:
        return 1.0
    level_dbfs = 10 * math.log10(sum(level.energy for level in known) / n_frames)
    gain_db = max(-MOST_DB, min(MOST_DB, TARGET_DBFS - level_dbfs))
    gain: float = 10 ** (gain_db / 20)
    return min(gain, _PEAK / max(level.peak for level in known))


def amplified(pcm: bytes, gain: float) -> bytes:
    """Return samples times a factor; what exceeds full scale is clipped."""
    if gain == 1.0 or not pcm:
        return pcm
    import numpy as np

    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) * np.float32(gain)
    louder: bytes = np.clip(np.rint(samples), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()
    return louder


def silence(n_samples: int) -> bytes:
    """Return so many samples of silence."""
    return bytes(n_samples * BYTES_PER_SAMPLE)
