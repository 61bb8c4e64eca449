"""Audio samples inside the product: mono, signed 16-bit little-endian PCM.

Converts from and to the two other forms: floats from -1 to 1, as models return them, and frames of
PyAV. numpy and PyAV are loaded when a function first needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vieneu_core.arguments import check_fields, expect
from vieneu_core.errors import BadAudioError, SynthesisFailedError
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from av import AudioFrame
    from numpy.typing import NDArray

BYTES_PER_SAMPLE = 2
MAX_RATE_HZ = 768_000
"""Above the rate of any device."""
_FULL_SCALE = 32_767


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """The source of a piece of audio. Part of cache keys, since a fallback has another voice."""

    backend: str
    """Name of the backend: ``local``, ``remote`` or ``last_resort``."""
    engine: str
    """Engine that made the samples, for example ``espeak`` or ``gguf``."""
    voice: str
    """Id of the voice that speaks."""
    fallback: bool = False
    """True if this is not the backend and voice that the admin and the request chose."""
    watermarked: bool = False
    """True if the samples carry a watermark."""
    model: str = ""
    """Model of the engine, as `Health.model`; empty where an older server does not name it."""
    cached: bool = False
    """True if it was spoken before and is replayed from a cache."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A run of samples of one sentence, in order, mono.

    A sentence ends with exactly one chunk whose ``final`` is true; that chunk may be empty,
    because an engine knows that it is done only after its last samples have gone out.

    Raises:
        ConfigurationError: a field has the wrong type.
        BadAudioError: the samples are incomplete, or the sample rate is out of range.
    """

    pcm: bytes = field(repr=False)
    """Samples, signed 16-bit little-endian, mono."""
    sample_rate_hz: int
    """Samples per second; the same for all chunks of one stream."""
    sentence: int
    """Index of the sentence within its request, from 0."""
    speaker: Speaker
    """Backend, engine and voice that spoke it."""
    final: bool = False
    """True on the last chunk of its sentence."""
    restarted: bool = False
    """True if the sentence starts again: discard its earlier chunks, which a failure cut off."""

    def __post_init__(self) -> None:
        check_fields(self)
        expect("speaker", self.speaker, Speaker, "a Speaker")
        if not 0 < self.sample_rate_hz <= MAX_RATE_HZ or len(self.pcm) % BYTES_PER_SAMPLE:
            raise BadAudioError(
                Translatable(
                    "{n_bytes} bytes at {sample_rate_hz} Hz are not 16-bit samples.",
                    n_bytes=len(self.pcm),
                    sample_rate_hz=self.sample_rate_hz,
                )
            )

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


def pcm_of_floats(samples: NDArray[np.float32]) -> bytes:
    """Return floats as mono signed 16-bit little-endian samples, clipped at full scale.

    Args:
        samples: Of shape (n_samples,), from -1 to 1.

    Raises:
        SynthesisFailedError: a sample is NaN.
    """
    import numpy as np

    if not np.isfinite(samples).all():
        raise SynthesisFailedError("The model's audio is not made of numbers.")
    scaled = np.rint(np.clip(samples, -1.0, 1.0) * _FULL_SCALE)
    return scaled.astype("<i2").tobytes()


def floats_of_pcm(pcm: bytes) -> NDArray[np.float32]:
    """Return signed 16-bit little-endian samples as floats from -1 to 1."""
    import numpy as np

    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(_FULL_SCALE + 1)


def frame_of(pcm: bytes, sample_rate_hz: int, at_sample: int | None = None) -> AudioFrame:
    """Return mono signed 16-bit samples as a PyAV frame; ``at_sample`` is its timestamp."""
    from fractions import Fraction

    import av

    frame = av.AudioFrame(
        format="s16", layout="mono", samples=len(pcm) // BYTES_PER_SAMPLE, align=1
    )
    frame.planes[0].update(pcm)
    frame.sample_rate = sample_rate_hz
    if at_sample is not None:
        frame.pts = at_sample
        frame.time_base = Fraction(1, sample_rate_hz)
    return frame


def pcm_of(frame: AudioFrame) -> bytes:
    """Return the samples of a mono signed 16-bit frame, without its padding."""
    return bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
