"""Speech as it travels inside the product: mono, signed 16-bit little-endian PCM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who spoke a piece of audio. A cache keys on it: a stand-in is not the voice asked for."""

    backend: str
    """Name of the backend: ``local``, ``remote`` or ``last_resort``."""
    engine: str
    """Engine that made the samples, for example ``espeak`` or ``gguf``."""
    voice: str
    """Id of the voice that is heard."""
    stand_in: bool = False
    """True where this is not the backend and voice that the admin and the request chose."""
    watermarked: bool = False
    """True where the samples carry a watermark."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A run of samples of one sentence, in order, mono.

    A sentence ends with exactly one chunk whose ``final`` is true; that chunk may be empty,
    because an engine knows that it is done only after its last samples have gone out.
    """

    pcm: bytes
    """Samples, signed 16-bit little-endian, mono."""
    sample_rate_hz: int
    """Samples per second; the same for all chunks of one stream."""
    sentence: int
    """Index of the sentence within its request, from 0."""
    speaker: Speaker
    """Who spoke it."""
    final: bool = False
    """True on the last chunk of its sentence."""
    restarted: bool = False
    """True where the sentence begins anew: what came of it before was cut off by a failure."""

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.pcm) // BYTES_PER_SAMPLE

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate_hz

    @property
    def samples(self) -> NDArray[np.int16]:
        """The samples as an array of shape (n_samples,); needs numpy."""
        import numpy as np

        return np.frombuffer(self.pcm, dtype="<i2")
