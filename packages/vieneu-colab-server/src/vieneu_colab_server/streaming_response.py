"""Streaming answers: our framing, plain audio or other forms; a failure never ends them cleanly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from vieneu_colab_server.content_negotiation import PLAIN_AUDIO
from vieneu_colab_server.disconnect import ClientGoneError, while_connected
from vieneu_colab_server.problems import problem_of
from vieneu_colab_server.recording import Reader
from vieneu_core.audio.encode import AudioFormat, encode_stream
from vieneu_core.audio.opus import OpusSentenceEncoder
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import InternalServerError, VieneuError
from vieneu_core.wire.framing import (
    End,
    FrameType,
    SentenceEnd,
    SentenceStart,
    Start,
    encode_error,
    encode_frame,
    pack_packets,
)
from vieneu_core.wire.routes import FRAMES_OPUS, REQUEST_ID_HEADER
from vieneu_core.wire.version import WIRE_VERSION

_LOGGER = logging.getLogger(__name__)
MAX_PCM_PAYLOAD = 256 * 1024
_STREAMED_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
"""Keep a proxy from storing, compressing or gathering what shall be heard at once."""


class _SentenceCodec(Protocol):
    pre_skip: int

    def payload(self, pcm: bytes) -> bytes: ...

    def rest(self) -> bytes: ...


class _Opus:
    def __init__(self, sample_rate_hz: int) -> None:
        self._encoder = OpusSentenceEncoder(sample_rate_hz)
        self.pre_skip = self._encoder.pre_skip

    def payload(self, pcm: bytes) -> bytes:
        return pack_packets(self._encoder.encode(pcm))

    def rest(self) -> bytes:
        return pack_packets(self._encoder.finish())


class _Pcm:
    pre_skip = 0

    def payload(self, pcm: bytes) -> bytes:
        return pcm

    def rest(self) -> bytes:
        return b""


class FrameWriter:
    """Encodes the chunks of one speech in our framing. Blocking, because it encodes Opus."""

    def __init__(self, request_id: str, *, opus: bool) -> None:
        self._request_id = request_id
        self._opus = opus
        self._started = False
        self._sentence: tuple[int, Speaker] | None = None
        self._codec: _SentenceCodec = _Pcm()
        self._n_samples = 0
        self._n_sentences = 0

    def write(self, chunk: AudioChunk) -> bytes:
        """Return the frames for a chunk; there may be none yet."""
        frames = []
        if not self._started:
            self._started = True
            frames.append(encode_frame(FrameType.START, self._start(chunk.sample_rate_hz)))
        if chunk.restarted or self._sentence != (chunk.sentence, chunk.speaker):
            frames.append(self._begin(chunk))
        for at in range(0, len(chunk.pcm), MAX_PCM_PAYLOAD):
            part = chunk.pcm[at : at + MAX_PCM_PAYLOAD]
            frames.append(_audio(self._codec.payload(part), chunk.sentence))
        self._n_samples += chunk.n_samples
        if chunk.final:
            frames.append(self._finish(chunk.sentence))
        return b"".join(frames)

    def end(self) -> bytes:
        """Return the END frame."""
        return encode_frame(FrameType.END, End(n_sentences=self._n_sentences))

    def _start(self, sample_rate_hz: int) -> Start:
        return Start(
            wire_version=WIRE_VERSION, request_id=self._request_id, sample_rate_hz=sample_rate_hz
        )

    def _begin(self, chunk: AudioChunk) -> bytes:
        self._sentence = (chunk.sentence, chunk.speaker)
        self._codec = _Opus(chunk.sample_rate_hz) if self._opus else _Pcm()
        self._n_samples = 0
        start = SentenceStart(
            engine=chunk.speaker.engine,
            voice=chunk.speaker.voice,
            stand_in=chunk.speaker.fallback,
            watermarked=chunk.speaker.watermarked,
            model=chunk.speaker.model,
            cached=chunk.speaker.cached,
            pre_skip=self._codec.pre_skip,
            backend=chunk.speaker.backend,
        )
        return encode_frame(FrameType.SENTENCE, start, chunk.sentence)

    def _finish(self, sentence: int) -> bytes:
        self._sentence = None
        self._n_sentences += 1
        end = SentenceEnd(n_samples=self._n_samples)
        rest = _audio(self._codec.rest(), sentence)
        return rest + encode_frame(FrameType.SENTENCE_END, end, sentence)


def _audio(payload: bytes, sentence: int) -> bytes:
    return encode_frame(FrameType.AUDIO, payload, sentence) if payload else b""


async def framed(
    chunks: AsyncGenerator[AudioChunk, None], writer: FrameWriter
) -> AsyncGenerator[bytes, None]:
    """Yield speech in our framing, with its end mark.

    Raises: as ``chunks``.
    """
    async with aclosing(chunks):
        async for chunk in chunks:
            if frames := await asyncio.to_thread(writer.write, chunk):
                yield frames
    yield writer.end()


def warm_up() -> None:
    """Import the codec library (a third of a second) before the first request. Blocking."""
    rate_hz = 24_000
    silence = AudioChunk(bytes(rate_hz), rate_hz, 0, Speaker(backend="", engine="", voice=""))
    FrameWriter("", opus=True).write(silence)


Encode = Callable[[AsyncGenerator[AudioChunk, None]], AsyncGenerator[bytes, None]]


@dataclass(frozen=True, slots=True)
class BodyForm:
    """The form of a body that speech is sent in."""

    media_type: str
    encode: Encode
    encode_error: Callable[[VieneuError], bytes] | None = None
    """Makes the end of a body whose speech failed; None: no such end exists, as in plain audio."""


def body_form(media_type: str, request_id: str) -> BodyForm:
    """Return the form for a media type of `content_negotiation`."""
    if media_type in PLAIN_AUDIO:
        return plain_audio(media_type, PLAIN_AUDIO[media_type])
    writer = FrameWriter(request_id, opus=media_type == FRAMES_OPUS)
    return BodyForm(
        media_type,
        lambda chunks: framed(chunks, writer),
        lambda error: encode_error(problem_of(error)),
    )


def plain_audio(media_type: str, fmt: AudioFormat) -> BodyForm:
    """Return the form of an audio file as it is made."""
    return BodyForm(media_type, lambda chunks: encode_stream(chunks, fmt))


class SpeechResponse(Response):
    """Sends the speech of a `Reader` while it is made, and closes the reader at the end.

    Status 200 is sent only once there is audio.
    """

    def __init__(
        self, reader: Reader, form: BodyForm, *, request_id: str, send_timeout_s: float
    ) -> None:
        self._reader = reader
        self._encode_error = form.encode_error
        self._send_timeout_s = send_timeout_s
        self._parts = form.encode(reader.chunks())
        headers = {REQUEST_ID_HEADER: request_id.strip(), **_STREAMED_HEADERS}
        super().__init__(media_type=form.media_type, headers=headers)
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        try:
            async with aclosing(self._parts) as parts:
                if scope["http_version"] == "1.0" and self._encode_error is None:
                    # Without chunks a cut body would look whole: its length must go first.
                    work = self._send_at_once(parts, send)
                else:
                    work = self._send_parts(parts, send)
                await while_connected(receive, work)
        except ClientGoneError:
            _LOGGER.info("The client has gone before the end of its speech.")
        finally:
            self._reader.close()

    async def _send_at_once(self, parts: AsyncGenerator[bytes, None], send: Send) -> None:
        gathered = []
        async for part in parts:
            self._reader.hold(len(part))
            gathered.append(part)
        body = b"".join(gathered)
        self.headers["content-length"] = str(len(body))
        await self._send(send, self._head())
        await self._send(send, {"type": "http.response.body", "body": body})

    async def _send_parts(self, parts: AsyncGenerator[bytes, None], send: Send) -> None:
        first = await anext(parts)
        await self._send(send, self._head())
        await self._send_body(send, first)
        try:
            async for part in parts:
                await self._send_body(send, part)
        except VieneuError as error:
            _LOGGER.warning("Speech failed midway: %s.", error.code)
            await self._break_off(send, error)
        except Exception:
            await self._break_off(send, InternalServerError("The server failed midway."))
            raise
        else:
            await self._send(send, {"type": "http.response.body", "body": b""})

    async def _break_off(self, send: Send, error: VieneuError) -> None:
        """End with the error, or, where the form has no way to state one, without an end.

        The HTTP server then closes the connection within the chunked body, which no client can
        mistake for its end.
        """
        if self._encode_error is not None:
            body = self._encode_error(error)
            await self._send(send, {"type": "http.response.body", "body": body})

    async def _send_body(self, send: Send, part: bytes) -> None:
        await self._send(send, {"type": "http.response.body", "body": part, "more_body": True})
        self._reader.delivered()

    async def _send(self, send: Send, message: Message) -> None:
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await send(message)
        except TimeoutError:
            raise ClientGoneError from None

    def _head(self) -> Message:
        return {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
