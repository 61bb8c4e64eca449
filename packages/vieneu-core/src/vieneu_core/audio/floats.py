"""Samples as numbers from -1 to 1, as models make them, into 16-bit ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vieneu_core.errors import SynthesisFailedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FULL_SCALE = 32_767


def pcm_of_floats(samples: NDArray[np.float32]) -> bytes:
    """Return mono signed 16-bit little-endian samples; what exceeds full scale is clipped.

    Args:
        samples: Of shape (n_samples,), from -1 to 1.

    Raises:
        SynthesisFailedError: some are no numbers.
    """
    import numpy as np

    if not np.isfinite(samples).all():
        raise SynthesisFailedError("The model's audio is not made of numbers.")
    scaled = np.rint(np.clip(samples, -1.0, 1.0) * _FULL_SCALE)
    return scaled.astype("<i2").tobytes()


def floats_of_pcm(pcm: bytes) -> NDArray[np.float32]:
    """Return signed 16-bit little-endian samples as numbers from -1 to 1."""
    import numpy as np

    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(_FULL_SCALE + 1)
