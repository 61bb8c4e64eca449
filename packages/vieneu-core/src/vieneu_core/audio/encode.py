"""Speech as a file or a stream that others can play: WAV, FLAC, Ogg Opus, MP3, AAC."""

from __future__ import annotations

import io
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vieneu_core.arguments import one_of
from vieneu_core.audio.opus import OPUS_OPTIONS, codec_rate_hz
from vieneu_core.audio.pcm import AudioChunk, frame_of
from vieneu_core.audio.resample import Resampler
from vieneu_core.audio.whole_sentences import checked_stream
from vieneu_core.errors import BadAudioError, InvalidRequestError, StreamInterruptedError
from vieneu_core.threads import on_thread
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    from av import AudioStream


class AudioFormat(StrEnum):
    """A file format; its value is the suffix."""

    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    """Ogg Opus."""
    MP3 = "mp3"
    AAC = "aac"
    """AAC-LC in ADTS frames."""

    @property
    def media_type(self) -> str:
        """Media type, ``audio/wav`` for example."""
        return _RECIPES[self].media_type


MPEG_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Rates of MP3; AAC has them too."""


def mpeg_rate_hz(sample_rate_hz: int) -> int:
    """Return the lowest rate of MP3 and AAC that loses nothing of this one."""
    return next((rate for rate in MPEG_RATES_HZ if rate >= sample_rate_hz), MPEG_RATES_HZ[-1])


@dataclass(frozen=True, slots=True)
class _Recipe:
    """FFmpeg's parameters for a format, and its media type."""

    media_type: str
    codec: str
    rate_hz: Callable[[int], int]
    """Rate of the file for a rate of the samples."""
    bit_rate: int | None
    streamed: dict[str, str]
    """What differs where the size cannot be written into the header afterwards."""
    container: str | None = None
    """FFmpeg's name of the file format, where it is not the suffix."""


_RECIPES = {
    AudioFormat.WAV: _Recipe("audio/wav", "pcm_s16le", lambda hz: hz, None, {}),
    AudioFormat.FLAC: _Recipe("audio/flac", "flac", lambda hz: hz, None, {}),
    # Short pages, in microseconds: a player need not wait for a whole second of speech.
    AudioFormat.OGG: _Recipe(
        "audio/ogg", "libopus", codec_rate_hz, 32_000, {"page_duration": "60000"}
    ),
    AudioFormat.MP3: _Recipe("audio/mpeg", "libmp3lame", mpeg_rate_hz, 64_000, {"write_xing": "0"}),
    AudioFormat.AAC: _Recipe("audio/aac", "aac", mpeg_rate_hz, 64_000, {}, container="adts"),
}


def format_of(path: Path) -> AudioFormat:
    """Return the format of a file name's suffix.

    Raises:
        InvalidRequestError: the suffix is unknown; the message lists the known ones.
    """
    suffix = path.suffix.lower().removeprefix(".")
    try:
        return AudioFormat("ogg" if suffix == "opus" else suffix)  # RFC 7845, 9: both are used
    except ValueError as err:
        raise InvalidRequestError(
            Translatable(
                "{path}: no audio format has the suffix {suffix!r}.",
                path=path.name or path,
                suffix=path.suffix or "(none)",
            ),
            remedy=Translatable(
                "Choose one of: {kinds}.", kinds=", ".join(f".{kind}" for kind in AudioFormat)
            ),
        ) from err


def format_named(name: AudioFormat | str) -> AudioFormat:
    """Return the format of this name, ``mp3`` for example.

    Raises:
        InvalidRequestError: the name is unknown; the message lists the known ones.
    """
    return one_of("fmt", name, AudioFormat, error=InvalidRequestError)


class _Sink(io.RawIOBase):
    """Buffer of FFmpeg's output until it is read; not seekable, like a network connection."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        before = len(self._written)
        self._written += data
        return len(self._written) - before

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


class Muxer:
    """Writes samples of one rate into a file object. Blocking."""

    def __init__(
        self, file: io.RawIOBase, fmt: AudioFormat, sample_rate_hz: int, *, streamed: bool
    ) -> None:
        import av

        recipe = _RECIPES[fmt]
        options = {"fflags": "+bitexact", "metadata_header_padding": "0"}
        if fmt is AudioFormat.OGG:
            # Files that are joined need serial numbers of their own (RFC 3533, 4); FFmpeg numbers
            # from this on, and from 0 where the output shall be exact.
            options["serial_offset"] = str(secrets.randbelow(1 << 31))
        if streamed:
            options |= {"flush_packets": "1", **recipe.streamed}
        self._sample_rate_hz = sample_rate_hz
        self._n_in = 0
        self._container = av.open(
            file,
            "w",
            format=recipe.container or fmt.value,
            container_options=options,
        )
        rate = recipe.rate_hz(sample_rate_hz)
        stream = self._container.add_stream(recipe.codec, rate=rate, layout="mono")
        self._stream = cast("AudioStream", stream)
        if recipe.bit_rate is not None:
            self._stream.bit_rate = recipe.bit_rate
        if fmt is AudioFormat.OGG:
            self._stream.codec_context.options = dict(OPUS_OPTIONS)
        self._container.start_encoding()

    def write(self, pcm: bytes) -> None:
        """Encode these samples."""
        if pcm:
            frame = frame_of(pcm, self._sample_rate_hz, self._n_in)
            self._n_in += frame.samples
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode the remaining samples and write the end of the file."""
        if self._n_in:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Free FFmpeg's resources; without effect after `finish`."""
        import av

        # A full disk, or a codec without samples: the file is discarded anyway.
        with suppress(OSError, ValueError, av.error.FFmpegError):
            self._container.close()


class Encoder:
    """Encodes a stream of mono signed 16-bit samples of one rate as they come. Blocking."""

    def __init__(self, fmt: AudioFormat, sample_rate_hz: int) -> None:
        self._sink = _Sink()
        self._muxer = Muxer(self._sink, fmt, sample_rate_hz, streamed=True)

    def encode(self, pcm: bytes) -> bytes:
        """Return the bytes that these samples complete; the first call adds the header."""
        self._muxer.write(pcm)
        return self._sink.take()

    def finish(self) -> bytes:
        """Return the remaining bytes and the end of the file."""
        self._muxer.finish()
        return self._sink.take()

    def close(self) -> None:
        """Free the encoder's resources, also after an interrupted stream."""
        self._muxer.abandon()


async def encode_stream(
    chunks: AsyncIterable[AudioChunk], fmt: AudioFormat | str
) -> AsyncGenerator[bytes, None]:
    """Encode speech as it arrives, on a thread; the first block contains the header.

    Raises:
        InvalidRequestError: the format is unknown, or ``chunks`` is not a stream of audio.
        StreamInterruptedError: the speech has no end mark.
        BadAudioError: the sample rate changes within the stream.
        VieneuError: whatever ``chunks`` raises.
    """
    known = format_named(fmt)
    encoder: Encoder | None = None
    async with AsyncExitStack() as stack:
        speech = await stack.enter_async_context(aclosing(one_rate(chunks)))
        async for chunk in speech:
            if encoder is None:
                encoder = Encoder(known, chunk.sample_rate_hz)
                stack.push_async_callback(on_thread, encoder.close)
            if data := await on_thread(encoder.encode, chunk.pcm):
                yield data
        if encoder is not None and (data := await on_thread(encoder.finish)):
            yield data


async def pcm_stream(
    chunks: AsyncIterable[AudioChunk], sample_rate_hz: int
) -> AsyncGenerator[bytes, None]:
    """Yield speech as it comes as bare samples of a given rate: mono, 16-bit, little-endian.

    Raises:
        InvalidRequestError: ``chunks`` is not a stream of audio.
        StreamInterruptedError: the speech has no end mark.
        BadAudioError: its rate changes on the way.
        VieneuError: whatever ``chunks`` raises.
    """
    resampler: Resampler | None = None
    async with aclosing(one_rate(chunks)) as speech:
        async for chunk in speech:
            if resampler is None:
                resampler = await on_thread(Resampler, chunk.sample_rate_hz, sample_rate_hz)
            if data := await on_thread(resampler.push, chunk.pcm):
                yield data
    if resampler is not None and (data := await on_thread(resampler.finish)):
        yield data


async def one_rate(chunks: AsyncIterable[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    """Pass a stream on and close it at the end; check that it is complete and of one sample rate.

    Raises:
        InvalidRequestError: ``chunks`` is not a stream of audio.
        StreamInterruptedError: the stream has no end mark.
        BadAudioError: the sample rate changes within the stream.
    """
    last: AudioChunk | None = None
    async with aclosing(checked_stream(chunks)) as stream:
        async for chunk in stream:
            if last is not None and chunk.sample_rate_hz != last.sample_rate_hz:
                raise BadAudioError(
                    Translatable(
                        "The sample rate changed from {before_hz} to {after_hz}"
                        " Hz within one speech.",
                        before_hz=last.sample_rate_hz,
                        after_hz=chunk.sample_rate_hz,
                    )
                )
            yield chunk
            last = chunk
    if last is None or not last.final:
        raise StreamInterruptedError("The stream of audio ended in the middle of a sentence.")
