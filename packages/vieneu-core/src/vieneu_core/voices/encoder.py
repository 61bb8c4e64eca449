"""Interface of an encoder that turns a reference clip into codes for a speech language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENCODER_RATE_HZ = 16_000
"""Sample rate of NeuCodec's input."""


class SpeechEncoder(Protocol):
    """Encodes a clip to codes. Blocking; one caller at a time."""

    @property
    def fingerprint(self) -> str:
        """Identifies the encoder and its weights: others return other codes for the same clip."""
        ...

    def encode(self, samples: NDArray[np.float32]) -> tuple[int, ...]:
        """Return the codes of a clip of shape (n_samples,) at 16 000 Hz, 50 a second.

        Raises:
            ReferenceAudioError: the clip cannot be encoded.
            DeviceMemoryError: the device has too little memory.
        """
        ...
