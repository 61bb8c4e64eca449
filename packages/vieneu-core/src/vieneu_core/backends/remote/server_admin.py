"""`ServerAdmin`: what the admin of a server may do over HTTP, with the admin token."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import aiohttp
from pydantic import SecretStr

from vieneu_core.backends.remote.connection import Connection
from vieneu_core.backends.remote.json_client import JsonClient
from vieneu_core.backends.remote.request_url import Endpoint
from vieneu_core.backends.remote.timeouts import RemoteTimeouts
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.wire import routes
from vieneu_core.wire.schemas import DrainAnswer

_NAME = "server"


class ServerAdmin:
    """Rotates a server's token for speech, and drains the server. Used with ``async with``.

    Args:
        endpoint_url: URL of the server.
        admin_token: Its admin token; where it has none, its token.
        session: A session to use, which is never closed; None opens an own one.
        timeouts: Time limits.
        clock: Clock of the deadlines.

    Raises:
        ConfigurationError: the URL or the token cannot be used.
    """

    def __init__(
        self,
        endpoint_url: str,
        admin_token: SecretStr | str,
        *,
        session: aiohttp.ClientSession | None = None,
        timeouts: RemoteTimeouts = RemoteTimeouts(),  # noqa: B008 - frozen
        clock: Clock | None = None,
    ) -> None:
        self._connection = Connection(
            Endpoint.of(endpoint_url, admin_token),
            session=session,
            timeouts=timeouts,
            clock=clock or SystemClock(),
            backend=_NAME,
        )
        self._json = JsonClient(self._connection, timeouts, backend=_NAME, check_use=lambda: None)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close its connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections. A session that was passed in stays open."""
        await self._connection.aclose()

    async def rotate_token(self) -> SecretStr:
        """Let the server generate a new token for speech, and return it.

        Raises:
            BackendError: the server refused or failed; the current token stays.
        """
        return await self._json.new_token()

    async def drain(self) -> bool:
        """Let the server refuse new requests until `resume`; return whether it does.

        Raises:
            BackendError: the server refused or failed.
        """
        return (await self._json.ask("POST", routes.DRAIN, DrainAnswer)).draining

    async def resume(self) -> bool:
        """Undo `drain`; return whether the server still refuses requests, as when it stops.

        Raises:
            BackendError: the server refused or failed.
        """
        return (await self._json.ask("DELETE", routes.DRAIN, DrainAnswer)).draining
