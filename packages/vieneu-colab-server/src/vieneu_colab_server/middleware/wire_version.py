"""Wire version: sent with every response, and checked in every request."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_colab_server.problems import problem_response
from vieneu_core.errors import WireVersionError
from vieneu_core.wire.routes import WIRE_VERSION_HEADER
from vieneu_core.wire.version import WIRE_VERSION, check_client


class WireVersionHeader:
    """Adds our wire version to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the header to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[WIRE_VERSION_HEADER] = WIRE_VERSION
            await send(message)

        await self._app(scope, receive, with_version)


class ClientVersionCheck:
    """Refuses clients whose major wire version differs from ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            name = WIRE_VERSION_HEADER.lower().encode()
            version = next((v for k, v in scope["headers"] if k == name), None)
            try:
                check_client(None if version is None else version[:20].decode("latin-1"))
            except WireVersionError as error:
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)
