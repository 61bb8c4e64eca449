"""Interface of a tunnel, and `NoTunnel`, which returns the port's own URL."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Tunnel(Protocol):
    """Connection from the internet to one port of this machine. It can be reopened."""

    @property
    def name(self) -> str:
        """Name of the provider."""
        ...

    async def open(self, port: int) -> str:
        """Open it to a port of 127.0.0.1; return the public URL.

        Raises:
            TunnelOpenError: it cannot be opened.
        """
        ...

    async def lost(self) -> str:
        """Wait until the tunnel is lost; return the reason as text. Only while it is open."""
        ...

    async def close(self) -> None:
        """Close the tunnel and end its program. Without effect if it is closed."""
        ...


class NoTunnel:
    """No tunnel: for a private network, or behind a reverse proxy."""

    name = "none"

    async def open(self, port: int) -> str:
        """Return the URL of the port."""
        return f"http://127.0.0.1:{port}"

    async def lost(self) -> str:
        """Wait forever."""
        await asyncio.Event().wait()
        raise AssertionError  # pragma: no cover

    async def close(self) -> None:
        """Do nothing."""
