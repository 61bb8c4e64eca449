"""Traffic counters: requests and bytes that count against a tunnel's quota."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_REQUEST = b"vieneu-own-request"
"""Header of requests that are not counted: those that our own programs make to watch the server."""
OWN_HEADERS = MappingProxyType({OWN_REQUEST.decode(): "1"})
"""Headers of such a request, as a client sends them."""


@dataclass(slots=True)
class Traffic:
    """Counters since the start of the server."""

    n_requests: int = 0
    """HTTP requests of all kinds, without `OWN_REQUEST`."""
    n_bytes: int = 0
    """Bytes of the bodies of responses, without headers."""


class CountTraffic:
    """Counts requests and the bytes of their responses."""

    def __init__(self, app: ASGIApp, *, traffic: Traffic) -> None:
        self._app, self._traffic = app, traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if any(name == OWN_REQUEST for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        self._traffic.n_requests += 1

        async def counted(message: Message) -> None:
            self._traffic.n_bytes += len(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, counted)
