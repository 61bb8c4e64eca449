"""Bounds of connections: their number, their silence before a request, and unread answers."""

from __future__ import annotations

import asyncio
import sys
from typing import ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from vieneu_colab_server.sending import WatchedTransport
from vieneu_colab_server.settings import ServerSettings

_SPARE_DESCRIPTORS = 256
"""For pipes of the worker, files, and connections of other parts of the process."""
_FEWEST = 16
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with bounds; `bounded_protocol` sets those of one server."""

    max_connections: ClassVar[int]
    head_timeout_s: ClassVar[float]
    body_timeout_s: ClassVar[float]
    send_timeout_s: ClassVar[float]
    idle: ClassVar[dict[BoundedProtocol, None]]
    """Connections without a running request, the longest idle first."""
    _head_due: asyncio.TimerHandle | None = None
    _rest_is_due = False

    def connection_made(  # type: ignore[override]  # uvicorn narrows it too
        self, transport: asyncio.Transport
    ) -> None:
        """Take a connection; where there are too many, close one."""
        crowded = len(self.connections) >= self.max_connections
        self._watched = WatchedTransport(transport, self.loop, self.send_timeout_s)
        super().connection_made(cast("asyncio.Transport", self._watched))
        self.idle[self] = None
        self._expect_head()
        if crowded:
            oldest = next(iter(self.idle))
            del self.idle[oldest]  # at once: it ends a moment later
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request."""
        super().data_received(data)
        if self._is_answered_early():
            return  # the rest of a body: it gives no more time, and the connection stays idle
        if self.conn.their_state is not h11.IDLE:
            self._head_has_come()
        elif self._rest_is_due:  # it has come
            self._expect_head()
        elif self._head_due is None and self.timeout_keep_alive_task is None:
            self._expect_head()  # part of the next one; more parts give no more time

    def handle_events(self) -> None:
        """Process what has come; a request with two statements of its length is the last one.

        A proxy may believe the other statement, and take the rest for a request of somebody else
        (RFC 9112, 6.1).
        """
        super().handle_events()
        if self.cycle is not None and _LENGTHS.issubset(dict(self.cycle.scope["headers"])):
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """Count the connection as idle, unless a request has come meanwhile."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self.idle[self] = None
        if self._is_answered_early():  # uvicorn's own timer ends with the next byte of the body
            self._expect(self.body_timeout_s)
            self._rest_is_due = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._head_has_come()
        self._watched.unwatch()
        super().connection_lost(exc)

    def _is_answered_early(self) -> bool:
        """Return whether a request was answered, and a part of its body has not come."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _expect_head(self) -> None:
        self._expect(self.head_timeout_s)

    def _expect(self, within_s: float) -> None:
        self._stop_waiting()
        self._head_due = self.loop.call_later(within_s, self.transport.abort)

    def _head_has_come(self) -> None:
        self.idle.pop(self, None)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        self._rest_is_due = False
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None


def bounded_protocol(settings: ServerSettings) -> type[BoundedProtocol]:
    """Return the protocol for one server.

    A connection whose request head is not complete in time is closed: after it was opened, and
    after the first byte of a later request. So is one on which the rest of a body does not come in
    time, after an answer that did not wait for it. Where
    there are too many, the one that has been idle longest is closed for a new one, or the new one
    if a request runs on each. A connection whose client takes nothing of an answer is closed,
    whatever the answer is, and also after its end.
    """
    bounds = {
        "max_connections": affordable_connections(settings.max_connections),
        "head_timeout_s": settings.head_timeout_s,
        "body_timeout_s": settings.body_timeout_s,
        "send_timeout_s": settings.send_timeout_s,
        "idle": {},
    }
    return type("BoundedProtocol", (BoundedProtocol,), bounds)


def affordable_connections(wanted: int) -> int:
    """Return how many connections this process can have, at most ``wanted``.

    The soft limit of descriptors is raised as far as that needs and the system allows.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    needed = wanted + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < needed:
        soft = needed if hard == unlimited else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == unlimited or soft >= needed:
        return wanted
    return max(_FEWEST, soft - _SPARE_DESCRIPTORS)
