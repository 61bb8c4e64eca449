"""Interface of a tunnel, and the tunnel that only returns the port's own URL."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Tunnel(Protocol):
    """Connection from the internet to one port of this machine. May be reopened once closed."""

    @property
    def name(self) -> str:
        """Name of the provider."""
        ...

    async def open(self, port: int) -> str:
        """Open it to a port of 127.0.0.1; return the public URL.

        Raises:
            TunnelOpenError: it cannot be opened; names the reason and the remedy.
        """
        ...

    async def lost(self) -> str:
        """Wait until it is no longer open; return the reason as text. Only while it is open."""
        ...

    async def close(self) -> None:
        """Close it and end its program. Without effect where it is closed."""
        ...


class NoTunnel:
    """The port itself: for a private network, or behind a reverse proxy."""

    name = "none"

    async def open(self, port: int) -> str:
        """Return the URL of the port."""
        return f"http://127.0.0.1:{port}"

    async def lost(self) -> str:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError  # pragma: no cover

    async def close(self) -> None:
        """Do nothing."""
