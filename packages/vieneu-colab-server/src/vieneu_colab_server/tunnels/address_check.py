"""Check that a server answers at its public address, before the address is published."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
from pydantic import SecretStr

from vieneu_colab_server.middleware.traffic import OWN_HEADERS
from vieneu_colab_server.tunnels.errors import AddressUnreachableError
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import TunnelUpstreamError, VieneuError
from vieneu_core.translatable import Translatable

MAX_TRIES = 7
BACKOFF = Backoff(first_s=1.0, longest_s=15.0)
"""Pauses between tries, 45 s in all: the name of a new quick tunnel takes some seconds."""


class AddressCheck:
    """Requests ``GET /health`` as a client does, with the token, but does not count as one.

    So an old tunnel, another server and a page of the provider are told from this server.

    Args:
        token: Returns the server's current token.
        clock: Clock of the pauses.
    """

    def __init__(self, token: Callable[[], SecretStr], *, clock: Clock | None = None) -> None:
        self._token = token
        self._clock = clock or SystemClock()

    async def __call__(self, url: str, *, server_may_be_away: bool = False) -> None:
        """Return once the server answers.

        Args:
            url: The public address.
            server_may_be_away: Whether it suffices that the tunnel leads to this machine, because
                the server may just be restarted.

        Raises:
            AddressUnreachableError: it does not answer after several tries.
        """
        error = await self._tried(url)
        for n_failures in range(1, MAX_TRIES):
            if error is None or (server_may_be_away and isinstance(error, TunnelUpstreamError)):
                return
            await self._clock.sleep(BACKOFF.pause_s(n_failures))
            error = await self._tried(url)
        if error is not None:
            raise AddressUnreachableError(
                Translatable(
                    "This server does not answer at its public address {url}: {reason}",
                    url=url,
                    reason=error.detail,
                )
            ) from error

    async def _tried(self, url: str) -> VieneuError | None:
        """Try once; return why there was no answer."""
        try:
            async with _own_session() as session:
                backend = RemoteBackend(
                    url, self._token(), name="tunnel", session=session, clock=self._clock
                )
                try:
                    await backend.health()
                finally:
                    await backend.aclose()
        except VieneuError as error:
            return error
        return None


def _own_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers=OWN_HEADERS, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )
