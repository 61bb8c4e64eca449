"""Strict conversion of frames into audio: nothing incomplete is passed on as complete.

The order of frames is that of `vieneu_core.wire.framing`. A sentence counts as spoken only if
its end was received, its length is the stated one, and its audio can be the speech of its text.
A sentence without any samples is one that the server cannot pronounce.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from vieneu_core.audio.pauses import MAX_PAUSE_S
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk, Speaker
from vieneu_core.audio.sanity_check import SpeechCheck
from vieneu_core.backends.remote.request_plan import PlannedRequest
from vieneu_core.backends.remote.response_head import describe
from vieneu_core.errors import BadAudioError, BadResponseError
from vieneu_core.translatable import Translatable
from vieneu_core.wire import routes
from vieneu_core.wire.framing import (
    End,
    Frame,
    FrameDecoder,
    FrameType,
    SentenceEnd,
    SentenceStart,
    Start,
    unpack_packets,
)
from vieneu_core.wire.problem import parse_problem
from vieneu_core.wire.version import check_server

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
LONGEST_S, LONGEST_S_PER_CHAR = 15.0, 1.0
"""Longest plausible speech of a sentence: a fixed part, and a part for each character. Real
speech has about 15 characters a second; a digit can take half a second."""
_OPUS_PADDING_S = 1.0  # more than an encoder adds before and after the samples


class Codec(StrEnum):
    """Encoding of audio on the wire."""

    OPUS = "opus"
    PCM = "pcm"

    @property
    def media_type(self) -> str:
        """Media type sent in Accept."""
        return routes.FRAMES_OPUS if self is Codec.OPUS else routes.FRAMES_PCM


def load_libraries(codec: Codec) -> None:
    """Import the libraries for decoding and checking. Blocking, some tenths of a second."""
    import_module("numpy")
    if codec is Codec.OPUS:
        import_module("av")
        import_module("vieneu_core.audio.opus")


class _SentenceDecoder(Protocol):
    async def decode(self, payload: bytes) -> bytes: ...

    async def finish(self, n_samples: int) -> bytes: ...


class _PcmSentence:
    """A sentence as raw samples."""

    async def decode(self, payload: bytes) -> bytes:
        if len(payload) % BYTES_PER_SAMPLE:
            raise BadResponseError("A frame of the audio stream holds half a sample.")
        return payload

    async def finish(self, n_samples: int) -> bytes:  # noqa: ARG002 - the reader compares it
        return b""


class _OpusSentence:
    """A sentence as Opus packets, decoded on a thread."""

    def __init__(self, sample_rate_hz: int, pre_skip: int, longest_s: float) -> None:
        from vieneu_core.audio.opus import OpusSentenceDecoder

        longest_s += _OPUS_PADDING_S
        self._decoder = OpusSentenceDecoder(sample_rate_hz, pre_skip=pre_skip, longest_s=longest_s)

    async def decode(self, payload: bytes) -> bytes:
        return await asyncio.to_thread(self._decoder.decode, unpack_packets(payload))

    async def finish(self, n_samples: int) -> bytes:
        return await asyncio.to_thread(self._decoder.finish, n_samples)


@dataclass(slots=True, kw_only=True)
class _Sentence:
    """The sentence that is being received."""

    text: str
    speaker: Speaker
    decoder: _SentenceDecoder
    check: SpeechCheck
    longest_s: float
    restarted: bool
    """True until the first chunk of a restarted sentence has been passed on."""
    n_samples: int = 0


_Payload = TypeVar("_Payload", bound=BaseModel)


class SpeechReader:
    """Reads the response to one planned request."""

    def __init__(self, planned: PlannedRequest, codec: Codec, *, backend: str) -> None:
        self._order = planned
        self._codec = codec
        self._backend = backend
        self._frames = FrameDecoder()
        self._begun = False
        self._start: Start | None = None
        self._sentence: _Sentence | None = None
        self._n_done = 0
        self.ended = False
        """True once the END frame was read: the whole request has been spoken."""

    async def feed(self, data: bytes) -> AsyncGenerator[AudioChunk, None]:
        """Yield the audio that ``data`` completes.

        Raises:
            BadResponseError: this is not the requested stream, or it is damaged.
            BadAudioError: the audio of a sentence cannot be the speech of its text.
            VieneuError: as reported by the server in an ERROR frame.
        """
        if not self._begun and data[0] != FrameType.START:
            raise BadResponseError(
                Translatable("The server sent {what} instead of audio.", what=describe(data))
            )
        self._begun = True
        for frame in self._frames.feed(data):
            chunk = await self._read(frame)
            if chunk is not None and (chunk.pcm or chunk.final):
                yield chunk

    async def _read(self, frame: Frame) -> AudioChunk | None:
        match frame.type:
            case FrameType.ERROR:
                raise parse_problem(frame.payload, backend=self._backend)
            case FrameType.START:
                self._begin(_parse(Start, frame))
            case FrameType.SENTENCE:
                self._begin_sentence(_parse(SentenceStart, frame), frame.sentence)
            case FrameType.AUDIO:
                sentence = self._current(frame.sentence)
                return self._chunk(sentence, await sentence.decoder.decode(frame.payload))
            case FrameType.SENTENCE_END:
                return await self._end_sentence(_parse(SentenceEnd, frame), frame.sentence)
            case FrameType.END:
                self._end(_parse(End, frame))
        return None

    def _begin(self, start: Start) -> None:
        if self._start is not None:
            raise BadResponseError("The audio stream begins twice.")
        check_server(start.wire_version)
        if start.request_id != self._order.request_id:
            raise BadResponseError("The audio stream is the answer to another request.")
        if not LOWEST_RATE_HZ <= start.sample_rate_hz <= HIGHEST_RATE_HZ:
            raise BadResponseError(
                Translatable(
                    "{sample_rate_hz} Hz is no sample rate of speech.",
                    sample_rate_hz=start.sample_rate_hz,
                )
            )
        self._start = start

    def _begin_sentence(self, begun: SentenceStart, index: int) -> None:
        # A server that itself fell back to another voice starts the same sentence again.
        if index != self._n_done or index >= len(self._order.sentences):
            raise BadResponseError(Translatable("Sentence {index} began out of turn.", index=index))
        text, rate_hz = self._order.sentences[index], self._sample_rate_hz
        longest_s = LONGEST_S + LONGEST_S_PER_CHAR * len(text) / self._order.speed
        self._sentence = _Sentence(
            text=text,
            speaker=Speaker(
                backend=self._backend,
                engine=begun.engine,
                voice=begun.voice,
                fallback=begun.stand_in,
                watermarked=begun.watermarked,
                model=begun.model,
                cached=begun.cached,
            ),
            decoder=self._decoder(begun, longest_s),
            check=SpeechCheck(
                text,
                speed=self._order.speed,
                sample_rate_hz=rate_hz,
                pause_s=MAX_PAUSE_S if self._n_done else 0.0,  # between sentences, by its router
            ),
            longest_s=longest_s,
            restarted=self._sentence is not None,
        )

    def _decoder(self, begun: SentenceStart, longest_s: float) -> _SentenceDecoder:
        if self._codec is Codec.PCM:
            return _PcmSentence()
        return _OpusSentence(self._sample_rate_hz, begun.pre_skip, longest_s)

    @property
    def _sample_rate_hz(self) -> int:
        if self._start is None:  # `feed` rejects any frame before START
            raise BadResponseError("The audio stream has no beginning.")
        return self._start.sample_rate_hz

    def _current(self, index: int) -> _Sentence:
        if self._sentence is None or index != self._n_done:
            raise BadResponseError(
                Translatable(
                    "Audio came for sentence {index}, which is not being spoken.", index=index
                )
            )
        return self._sentence

    def _chunk(self, sentence: _Sentence, pcm: bytes, *, final: bool = False) -> AudioChunk:
        sentence.n_samples += len(pcm) // BYTES_PER_SAMPLE
        sentence.check.add(pcm)
        if sentence.n_samples > sentence.longest_s * self._sample_rate_hz:
            raise BadAudioError(
                Translatable(
                    "The speech of {text!r} is longer than {longest_s:.0f} s.",
                    text=sentence.text[:60],
                    longest_s=sentence.longest_s,
                )
            )
        restarted = sentence.restarted
        if pcm or final:  # an empty chunk within a sentence is dropped
            sentence.restarted = False
        return AudioChunk(
            pcm=pcm,
            sample_rate_hz=self._sample_rate_hz,
            sentence=self._order.first_sentence + self._n_done,
            speaker=sentence.speaker,
            final=final,
            restarted=restarted,
        )

    async def _end_sentence(self, end: SentenceEnd, index: int) -> AudioChunk:
        sentence = self._current(index)
        chunk = self._chunk(sentence, await sentence.decoder.finish(end.n_samples), final=True)
        if sentence.n_samples != end.n_samples:
            raise BadResponseError(
                Translatable(
                    "Sentence {index} has {n_samples} samples, not the {n_stated} that the"
                    " server stated.",
                    index=index,
                    n_samples=sentence.n_samples,
                    n_stated=end.n_samples,
                )
            )
        if end.n_samples:
            sentence.check.finish()
        self._sentence = None
        self._n_done += 1
        return chunk

    def _end(self, end: End) -> None:
        expected = len(self._order.sentences)
        if self._sentence is not None or not end.n_sentences == self._n_done == expected:
            raise BadResponseError(
                Translatable(
                    "The audio stream ended after {n_done} sentences of {expected}.",
                    n_done=self._n_done,
                    expected=expected,
                )
            )
        self.ended = True


def _parse(model: type[_Payload], frame: Frame) -> _Payload:
    try:
        return model.model_validate_json(frame.payload)
    except ValidationError as err:
        raise BadResponseError(
            Translatable("A {type} frame cannot be read.", type=frame.type.name)
        ) from err
