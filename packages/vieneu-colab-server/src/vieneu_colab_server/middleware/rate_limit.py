"""Rate limits: requests per minute, of each client by itself or of all together."""

from __future__ import annotations

import ipaddress
import threading
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send

from vieneu_colab_server.middleware.client_table import ClientTable
from vieneu_colab_server.middleware.shared_counts import SharedCounts
from vieneu_colab_server.problems import problem_response
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import RateLimitedError
from vieneu_core.translatable import Translatable
from vieneu_core.wire.routes import STREAM, SYNTHESIZE

SPEECH_PATHS = frozenset({SYNTHESIZE, STREAM})
CLIENT_KEY = "vieneu_client"
"""Key of a request's scope: the client that it comes from, where its address is not what counts."""
_MINUTE_S = 60.0
_MAX_ADDRESS_CHARS = 64
_IPV6_NETWORK_BITS = 64
"""The smallest network that is assigned; its owner may use any address in it (RFC 6177)."""


def client_of(scope: Scope) -> str:
    """Return what tells the clients of the service apart: by default the address of each.

    Behind a proxy that is trusted, that is the address that the proxy states.
    """
    known = scope.get(CLIENT_KEY)
    if known is not None:
        return str(known)
    host = str((scope.get("client") or ("", 0))[0])[:_MAX_ADDRESS_CHARS]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), _IPV6_NETWORK_BITS), strict=False))


class PerMinute:
    """Counts events over the last minute, of each client by itself. May be used by many threads.

    Memory is bounded by a `ClientTable`; a client without events in the last minute is idle. The
    clock is the monotonic one: a calendar clock that is set changes nothing.

    Args:
        limit: Events in a minute.
        clock: Time; None means the system's.
    """

    def __init__(self, limit: int, *, clock: Clock | None = None) -> None:
        self.limit = limit
        self._clock = clock or SystemClock()
        self._changing = threading.Lock()
        self._clients: ClientTable[deque[float]] = ClientTable(deque)
        """Times of the counted events."""

    def hit(self, key: str, client: str = "") -> None:
        """Count one event.

        Args:
            key: What is counted, for the error.
            client: Who caused it.

        Raises:
            RateLimitedError: there were too many.
        """
        now_s = self._clock.monotonic()
        ended_s = now_s - _MINUTE_S
        with self._changing:
            times = self._clients.of(client, lambda times: not times or times[-1] <= ended_s)
            while times and times[0] <= ended_s:
                times.popleft()
            if len(times) < self.limit:
                times.append(now_s)
                return
            wait_s = times[0] + _MINUTE_S - now_s
        raise RateLimitedError(
            Translatable("More than {amount} {key} within a minute.", amount=self.limit, key=key),
            retry_after_s=round(max(1.0, wait_s), 1),
        )


class RateLimit:
    """Limits the requests per minute, with other servers where they share their counts.

    Args:
        app: Receives the requests within the limits.
        speech: Counts requests for speech, of all clients together: they share the engine.
        health_checks: Counts all others, of each client by itself.
        speech_paths: Paths of requests for speech.
        exempt: Paths that are not counted.
        shared: Counts the requests of all servers; while it cannot, ``speech`` and
            ``health_checks`` count those of this one.
    """

    def __init__(  # noqa: PLR0913 - what it counts by, by keyword
        self,
        app: ASGIApp,
        *,
        speech: PerMinute,
        health_checks: PerMinute,
        speech_paths: frozenset[str],
        exempt: frozenset[str],
        shared: SharedCounts | None = None,
    ) -> None:
        self._app = app
        self._speech = speech
        self._health_checks = health_checks
        self._speech_paths = speech_paths
        self._exempt = exempt
        self._shared = shared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in self._exempt:
            try:
                await self._count(scope)
            except RateLimitedError as error:
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _count(self, scope: Scope) -> None:
        if scope["path"] in self._speech_paths:
            counted, key, client = self._speech, "requests for speech", ""
        else:
            counted, key, client = self._health_checks, "other requests", client_of(scope)
        if self._shared is None or not await self._shared.counts(key, client, counted.limit):
            counted.hit(key, client)
