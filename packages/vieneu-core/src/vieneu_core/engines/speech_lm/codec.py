"""Interface of a speech codec's decoder: codes to samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = 24_000
"""Sample rate of NeuCodec's output."""
SAMPLES_PER_CODE = 480
"""Samples per code: 24 000 Hz at 50 codes a second."""


class SpeechDecoder(Protocol):
    """Decodes codes to samples. Blocking; one caller at a time."""

    @property
    def name(self) -> str:
        """Name of the codec, for people."""
        ...

    def decode(self, codes: Sequence[int]) -> NDArray[np.float32]:
        """Return the samples of these codes, from -1 to 1, of shape (480 * len(codes),).

        Raises:
            SynthesisFailedError: the codec failed, or returned another number of samples.
            DeviceMemoryError: the device has too little memory.
        """
        ...
