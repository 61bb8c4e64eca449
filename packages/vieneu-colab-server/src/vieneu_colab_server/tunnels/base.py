"""The interface of a tunnel, and the tunnel that is none."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Tunnel(Protocol):
    """A way from the internet to one port of this machine. May be opened again once closed."""

    @property
    def name(self) -> str:
        """Which provider, for people."""
        ...

    async def open(self, port: int) -> str:
        """Open it to a port of 127.0.0.1; return the public URL.

        Raises:
            TunnelOpenError: it cannot be opened; says why, and what to do.
        """
        ...

    async def lost(self) -> str:
        """Wait until it is open no longer; return why, in words. Only while it is open."""
        ...

    async def close(self) -> None:
        """Close it; its program ends. Without effect where it is closed."""
        ...


class NoTunnel:
    """The port itself: for a network of one's own, or a reverse proxy."""

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
