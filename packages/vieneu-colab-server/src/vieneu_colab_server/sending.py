"""Bounds of what is sent: a client that takes nothing holds no memory and no socket for long."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CHECKS_PER_TIMEOUT = 4
MAX_PART_BYTES = 64 * 1024


class WatchedTransport:
    """A transport that is closed once its peer has taken nothing for long.

    Also when nobody sends any more: a transport that is closed as usual would wait for a peer that
    never reads until the end of the process.

    Args:
        transport: The transport; everything but `write` goes to it.
        loop: Its event loop.
        timeout_s: Seconds in which the peer must take something of what waits for it.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, timeout_s: float
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._timeout_s = timeout_s
        self._n_written = 0
        self._n_taken = 0
        self._taken_at_s = 0.0
        self._check_due: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send some bytes."""
        self._n_written += len(data)
        self._transport.write(data)
        if self._check_due is None and self._transport.get_write_buffer_size():
            self._taken_at_s = self._loop.time()
            self._check_later()

    def unwatch(self) -> None:
        """Stop watching a transport that has been closed."""
        if self._check_due is not None:
            self._check_due.cancel()

    def _check_later(self) -> None:
        self._check_due = self._loop.call_later(self._timeout_s / _CHECKS_PER_TIMEOUT, self._check)

    def _check(self) -> None:
        self._check_due = None
        n_waiting, now_s = self._transport.get_write_buffer_size(), self._loop.time()
        if not n_waiting:
            return
        if self._n_written - n_waiting > self._n_taken:
            self._n_taken, self._taken_at_s = self._n_written - n_waiting, now_s
        if now_s - self._taken_at_s >= self._timeout_s:
            self._transport.abort()
        else:
            self._check_later()


class SentInParts:
    """Sends each large body in parts, so that at most one of them waits for its client.

    A server takes what it is given, however slowly the client reads; meanwhile the request would
    already have ended, and with it all bounds on how many run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def send_parts(message: Message) -> None:
            body, more_body = message.get("body", b""), message.get("more_body", False)
            if message["type"] != "http.response.body" or len(body) <= MAX_PART_BYTES:
                await send(message)
                return
            for at in range(0, len(body), MAX_PART_BYTES):
                is_last = at + MAX_PART_BYTES >= len(body)
                part = body[at : at + MAX_PART_BYTES]
                await send({**message, "body": part, "more_body": more_body or not is_last})

        await self.app(scope, receive, send_parts)
