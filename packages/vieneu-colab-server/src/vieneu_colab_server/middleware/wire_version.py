"""The version handshake, on every request and every answer; and the access log, beside it."""

from __future__ import annotations

import logging

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_colab_server.problems import problem_response
from vieneu_core.errors import WireVersionError
from vieneu_core.wire import routes
from vieneu_core.wire.version import WIRE_VERSION, check_client

_LOGGER = logging.getLogger(__name__)
_KNOWN_PATHS = frozenset(
    {
        routes.SYNTHESIZE,
        routes.STREAM,
        routes.HEALTH,
        routes.VOICES,
        routes.LIVEZ,
        routes.READYZ,
    }
)


class Signature:
    """Puts our wire version on every answer, and notes the answer in the log.

    The log names known paths only: whatever else a client writes there could be a secret.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and sign its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in _KNOWN_PATHS else "(another path)"

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[routes.WIRE_VERSION_HEADER] = WIRE_VERSION
                _LOGGER.info("%s %s: %d", scope["method"], path, message["status"])
            await send(message)

        await self._app(scope, receive, signed)


class ClientVersion:
    """Refuses clients whose wire version is another one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "http":
            name = routes.WIRE_VERSION_HEADER.lower().encode()
            version = next((v for k, v in scope["headers"] if k == name), None)
            try:
                check_client(None if version is None else version[:20].decode("latin-1"))
            except WireVersionError as error:
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)
