"""The whole speech of a request as one JSON document, sent without a copy of its samples."""

from __future__ import annotations

import asyncio
import base64
import logging
import struct
from collections.abc import Iterable, Iterator

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from vieneu_colab_server.disconnect import ClientGoneError, while_connected
from vieneu_colab_server.recording import Reader
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.synthesis import Speech
from vieneu_core.wire.routes import REQUEST_ID_HEADER
from vieneu_core.wire.schemas import SynthesisAnswer

_LOGGER = logging.getLogger(__name__)
_PART_BYTES = 48 * 1024  # a multiple of three: base64 of each part but the last has no padding
_WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM_FORMAT, _MONO = 1, 1


class WholeSpeechResponse(Response):
    """Sends whole speech as `SynthesisAnswer`, and closes its reader at the end.

    Args:
        speech: The speech; its samples are those that the reader keeps stored.
        reader: Closed at the end.
        request_id: Of the request.
        send_within_s: Longest time for all of it.
    """

    def __init__(
        self, speech: Speech, reader: Reader, *, request_id: str, send_within_s: float
    ) -> None:
        self._speech = speech
        self._reader = reader
        self._send_within_s = send_within_s
        self._before, self._after = _around_audio(speech, request_id)
        n_wav_bytes = _WAV_HEADER.size + sum(len(chunk.pcm) for chunk in speech.chunks)
        n_bytes = len(self._before) + _base64_size(n_wav_bytes) + len(self._after)
        headers = {
            REQUEST_ID_HEADER: request_id.strip(),
            "Cache-Control": "no-store",
            "Content-Length": str(n_bytes),
        }
        super().__init__(media_type="application/json", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        del scope
        try:
            async with asyncio.timeout(self._send_within_s):
                await while_connected(receive, self._send(send))
        except (ClientGoneError, TimeoutError):
            _LOGGER.info("The client has gone, or was too slow for its speech.")
        finally:
            self._reader.close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        waiting = self._before
        for part in _as_base64(_wav(self._speech)):
            waiting += part
            if len(waiting) >= _PART_BYTES:
                await send(_body(waiting))
                waiting = b""
        self._reader.delivered()
        await send({"type": "http.response.body", "body": waiting + self._after})


def _around_audio(speech: Speech, request_id: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the audio in the answer."""
    speaker = speech.speakers[0]
    answer = SynthesisAnswer(
        audio_base64="",
        sample_rate=speech.sample_rate_hz,
        duration_ms=round(speech.seconds * 1000),
        engine=speaker.engine,
        voice=speaker.voice,
        stand_in=speech.fallback,
        request_id=request_id,
    )
    before, quotes, after = answer.model_dump_json().partition('""')
    return (before + quotes[0]).encode(), (quotes[1] + after).encode()


def _wav(speech: Speech) -> Iterator[bytes]:
    """Yield a WAV file in parts: its header, then the samples as they are stored."""
    n_bytes = sum(len(chunk.pcm) for chunk in speech.chunks)
    rate_hz = speech.sample_rate_hz
    yield _WAV_HEADER.pack(
        *(b"RIFF", _WAV_HEADER.size - 8 + n_bytes, b"WAVE"),
        *(b"fmt ", 16, _PCM_FORMAT, _MONO, rate_hz, rate_hz * BYTES_PER_SAMPLE),
        *(BYTES_PER_SAMPLE, 8 * BYTES_PER_SAMPLE, b"data", n_bytes),
    )
    for chunk in speech.chunks:
        yield chunk.pcm


def _as_base64(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the base64 of some bytes in parts of moderate size."""
    waiting = bytearray()
    for part in parts:
        for at in range(0, len(part), _PART_BYTES):
            waiting += part[at : at + _PART_BYTES]
            if len(waiting) >= _PART_BYTES:
                yield base64.b64encode(waiting[:_PART_BYTES])
                del waiting[:_PART_BYTES]
    yield base64.b64encode(waiting)


def _base64_size(n_bytes: int) -> int:
    return (n_bytes + 2) // 3 * 4


def _body(part: bytes) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": True}
