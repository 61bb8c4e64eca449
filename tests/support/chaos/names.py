"""The names by which a server is found: a resolver that fails as name servers do."""

from __future__ import annotations

import asyncio
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

NAME = "localhost"
ADDRESS = "127.0.0.1"


class Names(AbstractResolver):
    """Resolves the name of the server, late or not at all if it is to."""

    def __init__(self) -> None:
        self.takes_s = 0.0
        """Time that each answer takes."""
        self.error: int | None = None
        """Number of the error of `socket.getaddrinfo` that each question ends with."""
        self._answering = asyncio.Event()
        self._answering.set()

    def go_silent(self) -> None:
        """Answer no question until `heal`."""
        self._answering.clear()

    def heal(self) -> None:
        """Resolve every name at once, also those that were asked for before."""
        self.takes_s, self.error = 0.0, None
        self._answering.set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the address of a name.

        Raises:
            socket.gaierror: it cannot be resolved, as the system says it.
        """
        del family
        await self._answering.wait()
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise socket.gaierror(self.error, "scripted failure of a name server")
        return [
            ResolveResult(
                hostname=host,
                host=ADDRESS,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""
