"""Size and time limits of a request body."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_colab_server.problems import problem_response
from vieneu_core.errors import BodyTooLargeError, InvalidRequestError, VieneuError
from vieneu_core.translatable import Translatable


class BodyLimit:
    """Reads the whole body within the limits, then passes the request on.

    Args:
        app: Receives the requests whose body is within the limits.
        max_bytes: Largest body.
        timeout_s: Longest time for a body to arrive, in seconds.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, or refuse it."""
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
        """Return the body; None if the client has disconnected."""
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if int(declared) > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._gather(receive)
        except TimeoutError:
            raise InvalidRequestError(
                Translatable(
                    "The request body did not arrive within {timeout_s:g} s.",
                    timeout_s=self._timeout_s,
                )
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
        return BodyTooLargeError(
            Translatable(
                "The request body has more than {max_bytes} bytes.", max_bytes=self._max_bytes
            )
        )


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a receive function that returns the whole body first, then the later messages."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
