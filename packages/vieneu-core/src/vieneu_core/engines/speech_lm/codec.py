"""The interfaces of a speech codec: codes to samples, and a clip to codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = 24_000
"""Of NeuCodec's output."""
SAMPLES_PER_CODE = 480
"""24 000 Hz at 50 codes a second."""
ENCODER_RATE_HZ = 16_000
"""Of NeuCodec's input."""


class SpeechDecoder(Protocol):
    """Codes to samples. Blocking; one caller at a time."""

    @property
    def name(self) -> str:
        """Which codec, for people."""
        ...

    def decode(self, codes: Sequence[int]) -> NDArray[np.float32]:
        """Return the samples of these codes, from -1 to 1, of shape (480 * len(codes),).

        Raises:
            SynthesisFailedError: the codec failed, or gave other than that many numbers.
            DeviceMemoryError.
        """
        ...


class SpeechEncoder(Protocol):
    """A clip to codes. Blocking; one caller at a time."""

    @property
    def fingerprint(self) -> str:
        """Names the encoder and its weights: other ones give other codes for the same clip."""
        ...

    def encode(self, samples: NDArray[np.float32]) -> tuple[int, ...]:
        """Return the codes of a clip of shape (n_samples,) at 16 000 Hz, 50 a second.

        Raises:
            ReferenceAudioError: the clip cannot be encoded.
            DeviceMemoryError.
        """
        ...
