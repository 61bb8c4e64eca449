"""Limits of request bodies: their size, each and all together, their time and their keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_colab_server.problems import problem_response
from vieneu_core.errors import BackendBusyError, BodyTooLargeError, InvalidRequestError, VieneuError
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import MAX_KEYS, has_too_many_keys

MIN_BYTES_PER_S = 50_000
"""Slowest client whose large body is still awaited: 0.4 Mbit/s."""
_RETRY_AFTER_S = 2.0
_LARGE_BYTES = 1 << 16
"""A larger body is parsed on a thread."""


@dataclass(slots=True)
class _Reserved:
    """What one request holds of the memory for all bodies."""

    n_bytes: int = 0


class BodyLimit:
    """Reads the whole body within the limits, then passes the request on.

    Args:
        app: Receives the requests whose body is within the limits.
        max_bytes: Largest body.
        timeout_s: Longest time in which nothing of a body arrives, in seconds; also for a small one
            to arrive whole. What has arrived of a larger one gives it more, by `MIN_BYTES_PER_S`.
        max_total_bytes: Bodies of all running requests together; further ones are refused.
        bodiless: Paths whose requests have no body: none is read.
        reserves: Whether memory for the whole body is reserved before any of it is read, so that
            none is refused midway: as much as it states, or ``max_bytes`` where it states nothing.
    """

    def __init__(  # noqa: PLR0913 - its limits, by keyword
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        timeout_s: float,
        max_total_bytes: int,
        bodiless: frozenset[str] = frozenset(),
        reserves: bool = False,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._max_total_bytes = max_total_bytes
        self._bodiless = bodiless
        self._reserves = reserves
        self._total_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] in self._bodiless:
            await self._app(scope, _replayed(b"", receive), send)
            return
        reserved = _Reserved()
        try:
            body = await self._read(scope, receive, reserved)
            if body is not None and b"json" in _header(scope, b"content-type").lower():
                if len(body) > _LARGE_BYTES:
                    await asyncio.to_thread(_check_keys, body)
                else:
                    _check_keys(body)
        except VieneuError as error:
            await problem_response(error)(scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _replayed(body, receive), send)
        finally:
            self._total_bytes -= reserved.n_bytes

    async def _read(self, scope: Scope, receive: Receive, reserved: _Reserved) -> bytes | None:
        """Return the body; None if the client has disconnected."""
        declared = int(_header(scope, b"content-length") or self._max_bytes)
        if declared > self._max_bytes:
            raise self._too_large()
        if self._reserves:
            self._reserve(reserved, declared)
        began_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                return await self._gather(receive, reserved, limit, began_s)
        except TimeoutError:
            waited_s = asyncio.get_running_loop().time() - began_s
            raise InvalidRequestError(
                Translatable(
                    "The request body did not arrive within {timeout_s:g} s.",
                    timeout_s=round(waited_s, 1),
                )
            ) from None

    async def _gather(
        self, receive: Receive, reserved: _Reserved, limit: asyncio.Timeout, began_s: float
    ) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            part = message.get("body", b"")
            if len(body) + len(part) > self._max_bytes:
                raise self._too_large()
            body += part
            self._reserve(reserved, max(0, len(body) - reserved.n_bytes))
            arrived_s = asyncio.get_running_loop().time()
            due_s = began_s + len(body) / MIN_BYTES_PER_S
            limit.reschedule(min(arrived_s, due_s) + self._timeout_s)
            if not message.get("more_body", False):
                return bytes(body)

    def _reserve(self, reserved: _Reserved, n_bytes: int) -> None:
        if self._total_bytes + n_bytes > self._max_total_bytes:
            raise BackendBusyError(
                "Other requests hold all memory that bodies may use.", retry_after_s=_RETRY_AFTER_S
            )
        self._total_bytes += n_bytes
        reserved.n_bytes += n_bytes

    def _too_large(self) -> BodyTooLargeError:
        return BodyTooLargeError(
            Translatable(
                "The request body has more than {max_bytes} bytes.", max_bytes=self._max_bytes
            )
        )


def _header(scope: Scope, name: bytes) -> bytes:
    return next((bytes(value) for known, value in scope["headers"] if known == name), b"")


def _check_keys(body: bytes) -> None:
    """Refuse a body before each of its keys is validated, and becomes an error of its own.

    Raises:
        InvalidRequestError: an object in it has too many.
    """
    if has_too_many_keys(body):
        raise InvalidRequestError(
            Translatable(
                "The request body has an object with more than {most} keys.", most=MAX_KEYS
            ),
            remedy="Send only the fields that are documented.",
        )


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a receive function that returns the whole body first, then the later messages."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
