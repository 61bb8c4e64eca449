"""Addresses of clients behind a proxy that is trusted, beside that of the connection itself."""

from __future__ import annotations

import os

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PEER_KEY = "vieneu_peer"
"""Key of a request's scope: the address of the connection, which may be that of a proxy."""
TRUSTED_VARIABLE = "FORWARDED_ALLOW_IPS"


class TrustedProxy:
    """Takes address and scheme of a client from X-Forwarded-For and -Proto of a trusted proxy.

    That is one on this machine, or at an address in `TRUSTED_VARIABLE`. Behind https:// the relay's
    cookie is so sent over https:// only.
    """

    def __init__(self, app: ASGIApp) -> None:
        trusted = os.environ.get(TRUSTED_VARIABLE, "127.0.0.1")
        self._app = ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type]  # the types of two packages for one interface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            scope[PEER_KEY] = (scope.get("client") or ("",))[0]
        await self._app(scope, receive, send)  # type: ignore[arg-type]  # likewise


class ProxiedConfig(uvicorn.Config):
    """Configuration of a server whose app is behind a `TrustedProxy`."""

    def load(self) -> None:
        """Load the app, and put it behind the proxy."""
        super().load()
        self.loaded_app = TrustedProxy(self.loaded_app)


def is_stated(scope: Scope) -> bool:
    """Return whether a trusted proxy stated the client's address: it is of this client alone."""
    client = (scope.get("client") or ("",))[0]
    return PEER_KEY in scope and bool(scope[PEER_KEY] != client)
