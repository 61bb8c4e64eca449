"""How much a client may send: requests per minute, and the size of a body."""

from __future__ import annotations

import asyncio
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_colab_server.problems import problem_response
from vieneu_core.errors import (
    BodyTooLargeError,
    InvalidRequestError,
    RateLimitedError,
    VieneuError,
)
from vieneu_core.wire.routes import STREAM, SYNTHESIZE

SPEECH_PATHS = frozenset({SYNTHESIZE, STREAM})


class PerMinute:
    """Counts events over the last minute, for each key."""

    def __init__(self, limit: int) -> None:
        self._item = RateLimitItemPerMinute(limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, key: str) -> None:
        """Count one event.

        Raises:
            RateLimitedError: there were too many.
        """
        if self._limiter.hit(self._item, key):
            return
        wait_s = self._limiter.get_window_stats(self._item, key).reset_time - time.time()
        raise RateLimitedError(
            f"More than {self._item.amount} {key} within a minute.",
            retry_after_s=round(max(1.0, wait_s), 1),
        )


class RateLimit:
    """Limits requests per minute of the one token: speech, and apart from it everything else."""

    def __init__(
        self, app: ASGIApp, *, speech: PerMinute, health_checks: PerMinute, exempt: frozenset[str]
    ) -> None:
        self._app = app
        self._speech = speech
        self._looks = health_checks
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "http" and scope["path"] not in self._exempt:
            try:
                self._count(scope["path"])
            except RateLimitedError as error:
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _count(self, path: str) -> None:
        if path in SPEECH_PATHS:
            self._speech.hit("requests for speech")
        else:
            self._looks.hit("other requests")


class BodyLimit:
    """Reads the whole body, but never more than is allowed, nor longer; then passes it on."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except VieneuError as error:
            await problem_response(error)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replayed(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the body; None where the client has gone."""
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if int(declared) > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._gather(receive)
        except TimeoutError:
            raise InvalidRequestError(
                f"The request body did not arrive within {self._timeout_s:g} s."
            ) from None

    async def _gather(self, receive: Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> BodyTooLargeError:
        return BodyTooLargeError(f"The request body has more than {self._max_bytes} bytes.")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives the whole body first, then what comes after it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
