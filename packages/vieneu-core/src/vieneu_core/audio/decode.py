"""Decoding of audio clips from outside. Their content is untrusted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from vieneu_core.audio.mixing import channel_instead_of_mix
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, pcm_of
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, CodecContext
    from av.container import InputContainer

MAX_CLIP_BYTES = 64 << 20
"""Largest file that is decoded."""
MAX_DECODED_BYTES = 128 << 20
"""Samples of all channels: more than ten minutes of stereo at 48 kHz have."""
MIN_CLIP_RATE_HZ, MAX_CLIP_RATE_HZ = 8_000, 192_000
MAX_CHANNELS = 8
_CODECS = (
    *("pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_u8", "pcm_f32le", "pcm_f64le"),
    *("pcm_alaw", "pcm_mulaw", "flac", "opus", "libopus", "vorbis", "mp3", "mp3float"),
)
_MPEG_SYNC = 0xE0  # the first three bits of an MPEG frame's second byte


@dataclass(frozen=True, slots=True)
class Clip:
    """Decoded audio, mono."""

    pcm: bytes = field(repr=False)
    """Samples, signed 16-bit little-endian."""
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / BYTES_PER_SAMPLE / self.sample_rate_hz


def decode_clip(data: bytes, *, max_seconds: float, min_seconds: float = 0.0) -> Clip:
    """Decode a WAV, FLAC, Ogg (Opus, Vorbis) or MP3 file, its channels mixed to one. Blocking.

    Decoding stops as soon as the clip proves too long, or has too many samples in all its channels,
    so a small file cannot fill the memory.

    Raises:
        ReferenceAudioError: the file has another format, is damaged, too short or too long.
    """
    fmt = _format_of(data)
    with _translated(), _opened(data, fmt) as container:
        stream = _only_stream(container)
        clip = _decode(container, stream, max_seconds)
    if clip.seconds < min_seconds or not clip.pcm:
        raise ReferenceAudioError(
            Translatable(
                "The clip lasts {seconds:.2f} s; at least {min_seconds:g} s are needed.",
                seconds=clip.seconds,
                min_seconds=min_seconds,
            )
        )
    return clip


def _format_of(data: bytes) -> str:
    """Detect the format by the first bytes, so that FFmpeg tries none of its other demuxers."""
    if len(data) > MAX_CLIP_BYTES:
        raise ReferenceAudioError(
            Translatable(
                "The clip has more than {max_clip_bytes} MiB.", max_clip_bytes=MAX_CLIP_BYTES >> 20
            )
        )
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[:4] in (b"fLaC", b"OggS"):
        return {b"fLaC": "flac", b"OggS": "ogg"}[data[:4]]
    is_mpeg = len(data) > 1 and data[:1] == b"\xff" and data[1] & _MPEG_SYNC == _MPEG_SYNC
    if data[:3] == b"ID3" or is_mpeg:
        return "mp3"
    raise ReferenceAudioError("The clip is not a WAV, FLAC, OGG or MP3 file.")


@contextmanager
def _translated() -> Iterator[None]:
    import av

    try:
        yield
    except (av.error.FFmpegError, ValueError, MemoryError, OverflowError) as err:
        # PyAV reports some broken headers, and a rate that changes midway, as ValueError.
        raise ReferenceAudioError("The clip is broken and cannot be decoded.") from err


@contextmanager
def _opened(data: bytes, fmt: str) -> Iterator[InputContainer]:
    import av

    options = {"codec_whitelist": ",".join(_CODECS), "format_whitelist": fmt}
    with av.open(io.BytesIO(data), format=fmt, container_options=options) as container:
        yield cast("InputContainer", container)


def _only_stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise ReferenceAudioError("The clip holds no audio.")
    stream = container.streams.audio[0]
    # PyAV has no codec context, against its type, where FFmpeg does not know the codec at all.
    codec = cast("CodecContext | None", stream.codec_context)
    if codec is None or codec.name not in _CODECS:
        raise ReferenceAudioError("The clip is compressed with a codec that is not usable here.")
    if not MIN_CLIP_RATE_HZ <= stream.sample_rate <= MAX_CLIP_RATE_HZ:
        raise ReferenceAudioError(
            Translatable(
                "The clip has {sample_rate} Hz; {min_rate_hz} to {max_rate_hz} Hz are usable.",
                sample_rate=stream.sample_rate,
                min_rate_hz=MIN_CLIP_RATE_HZ,
                max_rate_hz=MAX_CLIP_RATE_HZ,
            )
        )
    if not 1 <= stream.channels <= MAX_CHANNELS:
        raise ReferenceAudioError(
            Translatable(
                "The clip has {channels} channels; 1 to {max_channels} are usable.",
                channels=stream.channels,
                max_channels=MAX_CHANNELS,
            )
        )
    return stream


def _decode(container: InputContainer, stream: AudioStream, max_seconds: float) -> Clip:
    rate = stream.sample_rate
    mixer = _Mixer(stream)
    max_bytes = int(max_seconds * rate) * BYTES_PER_SAMPLE
    for frame in container.decode(stream):
        mixer.push(frame)
        if mixer.n_bytes > max_bytes:
            raise ReferenceAudioError(
                Translatable(
                    "The clip lasts longer than {max_seconds:g} s.", max_seconds=max_seconds
                )
            )
        if mixer.n_bytes * stream.channels > MAX_DECODED_BYTES:
            raise ReferenceAudioError(
                Translatable(
                    "The clip has more than {max_mib} MiB of samples in all its channels.",
                    max_mib=MAX_DECODED_BYTES >> 20,
                ),
                remedy="Save it with one channel, at 48 kHz or less.",
            )
    return Clip(mixer.finish()[:max_bytes], rate)


class _Mixer:
    """Mixes channels to one; takes the loudest where they cancel each other out."""

    def __init__(self, stream: AudioStream) -> None:
        import av

        rate, layout = stream.sample_rate, stream.layout
        self._to_mono = av.AudioResampler(format="s16", layout="mono", rate=rate)
        self._apart = av.AudioResampler(format="s16", layout=layout, rate=rate)
        self._n_channels = stream.channels
        self._mixed = bytearray()
        self._interleaved = bytearray()
        self._energies = [0.0] * self._n_channels
        self._mixed_energy = 0.0

    @property
    def n_bytes(self) -> int:
        return len(self._mixed)

    def push(self, frame: AudioFrame | None) -> None:
        for mixed in self._to_mono.resample(frame):
            pcm = pcm_of(mixed)
            self._mixed += pcm
            if self._n_channels > 1:
                self._mixed_energy += sum(_energies(pcm, 1))
        if self._n_channels > 1:
            for apart in self._apart.resample(frame):
                n_bytes = apart.samples * self._n_channels * BYTES_PER_SAMPLE
                pcm = bytes(apart.planes[0])[:n_bytes]
                self._interleaved += pcm
                more = _energies(pcm, self._n_channels)
                self._energies = [a + b for a, b in zip(self._energies, more, strict=True)]

    def finish(self) -> bytes:
        if self._mixed:
            self.push(None)
        return self._loudest_if_cancelled() or bytes(self._mixed)

    def _loudest_if_cancelled(self) -> bytes | None:
        import numpy as np

        if not self._interleaved:
            return None
        loudest = self._energies.index(max(self._energies))
        taken = channel_instead_of_mix(self._energies, self._mixed_energy, kept=loudest)
        if taken is None:
            return None
        channels = np.frombuffer(self._interleaved, "<i2").reshape(-1, self._n_channels)
        return channels[:, taken].tobytes()


def _energies(pcm: bytes, n_channels: int) -> list[float]:
    """Return the energy of each channel in interleaved samples."""
    import numpy as np

    channels = np.frombuffer(pcm, "<i2").reshape(-1, n_channels).astype(np.float64)
    return [float(energy) for energy in np.sum(channels**2, axis=0)]
