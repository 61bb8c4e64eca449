"""Files of speech that a page has received: its samples come back, and go out encoded."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vieneu_colab_server.middleware.body_limit import BodyLimit
from vieneu_colab_server.problems import problem_response
from vieneu_colab_server.relay.speak.guard import path_in
from vieneu_core.audio import AudioChunk, AudioFormat, Speaker, encode_stream
from vieneu_core.errors import BackendBusyError, InvalidRequestError

SPEECH_FILE = "/speech-file"
MAX_SAMPLES_BYTES = 32 << 20
"""Eleven minutes at 24 kHz: more than the longest request for speech takes."""
MOST_AT_ONCE = 8
_MAX_TOTAL_BYTES = 2 * MAX_SAMPLES_BYTES
_BYTES_AT_ONCE = 1 << 18
_RETRY_AFTER_S = 2.0


class SpeechFileLimit:
    """Limits size and number of the bodies that are held for `speech_file_routes`.

    Args:
        app: Gets the requests.
        max_bytes: Largest body of other requests.
        timeout_s: Longest time for a body to arrive, in seconds.
        max_total_bytes: Bodies of all other running requests together.
        unlimited: Beginning of paths that limit their bodies themselves.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        timeout_s: float,
        max_total_bytes: int,
        unlimited: tuple[str, ...],
    ) -> None:
        self._app = app
        self._unlimited = unlimited
        self._small = BodyLimit(
            app, max_bytes=max_bytes, timeout_s=timeout_s, max_total_bytes=max_total_bytes
        )
        self._large = BodyLimit(
            app,
            max_bytes=MAX_SAMPLES_BYTES,
            timeout_s=timeout_s,
            max_total_bytes=_MAX_TOTAL_BYTES,
            reserves=True,
        )
        self._n_running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        path = path_in(scope) if scope["type"] == "http" else ""
        if path != SPEECH_FILE:
            app = self._app if path.startswith(self._unlimited) else self._small
            await app(scope, receive, send)
            return
        if self._n_running >= MOST_AT_ONCE:
            busy = BackendBusyError("Other files are being made.", retry_after_s=_RETRY_AFTER_S)
            await problem_response(busy)(scope, receive, send)
            return
        self._n_running += 1
        try:
            await self._large(scope, receive, send)
        finally:
            self._n_running -= 1


def speech_file_routes() -> APIRouter:
    """Return the route that encodes samples."""
    api = APIRouter(tags=["speak"])

    @api.post(SPEECH_FILE, response_class=Response)
    async def speech_file(
        request: Request,
        rate: Annotated[int, Query(ge=8_000, le=48_000)],
        fmt: Annotated[AudioFormat, Query(alias="format")] = AudioFormat.MP3,
    ) -> Response:
        """Encode samples (mono, signed 16-bit little-endian) as a file."""
        pcm = await request.body()
        if not pcm or len(pcm) % 2:
            raise InvalidRequestError("The body holds no 16-bit samples.")
        parts = [part async for part in encode_stream(_chunks(pcm, rate), fmt)]
        return Response(b"".join(parts), media_type=fmt.media_type)

    return api


async def _chunks(pcm: bytes, rate_hz: int) -> AsyncGenerator[AudioChunk, None]:
    speaker = Speaker(backend="", engine="", voice="")
    for at in range(0, len(pcm), _BYTES_AT_ONCE):
        part, is_last = pcm[at : at + _BYTES_AT_ONCE], at + _BYTES_AT_ONCE >= len(pcm)
        yield AudioChunk(part, rate_hz, 0, speaker, final=is_last)
