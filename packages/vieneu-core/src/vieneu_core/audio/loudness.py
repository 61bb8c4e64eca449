"""Level of speech: the same for voices that take over from each other within a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPEECH_LEVEL_DB = -19.0
"""Level of the embedded voices' speech in decibels of full scale, without its pauses: that of
eSpeak, measured over its five voices (-17.4 to -19.8)."""
_PEAK = 0.95
"""Largest sample: -0.4 decibels, so that a later conversion does not clip."""
_BLOCK_S = 0.02
_GATE = 1e-3
"""Blocks 30 decibels below the loudest are pauses."""
_LARGEST_GAIN = 8.0


def levelled(samples: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
    """Return speech at `SPEECH_LEVEL_DB`, or as near to it as its peaks allow without clipping.

    Args:
        samples: Of shape (n_samples,), from -1 to 1.
        sample_rate_hz: Rate of the samples.
    """
    import numpy as np

    level = speech_level(samples, sample_rate_hz)
    peak = float(np.abs(samples).max(initial=0.0))
    if not level or not peak:
        return samples
    gain = min(10 ** (SPEECH_LEVEL_DB / 20) / level, _PEAK / peak, _LARGEST_GAIN)
    return np.asarray(samples * np.float32(gain), np.float32)


def speech_level(samples: NDArray[np.float32], sample_rate_hz: int) -> float:
    """Return the root mean square of the parts that are no pause; 0 without sound."""
    import numpy as np

    n_block = max(round(sample_rate_hz * _BLOCK_S), 1)
    n_blocks = len(samples) // n_block
    if not n_blocks:
        return 0.0
    blocks = samples[: n_blocks * n_block].reshape(n_blocks, n_block).astype(np.float64)
    powers = (blocks**2).mean(axis=1)
    return float(np.sqrt(powers[powers >= powers.max() * _GATE].mean()))
