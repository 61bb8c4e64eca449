"""Keeper of a tunnel: reopens it when it is lost, and publishes each new URL."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable

from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_colab_server.tunnels.errors import TunnelOpenError
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock, SystemClock

_LOGGER = logging.getLogger(__name__)
BACKOFF = Backoff(first_s=1.0, longest_s=60.0)
"""Pauses between failed attempts to reopen a lost tunnel. The first attempt is immediate."""


class TunnelKeeper:
    """Keeps one tunnel to one port open.

    Args:
        tunnel: The tunnel; it is closed at the end.
        port: Port of 127.0.0.1.
        on_url: Called with the URL whenever it has changed.
        on_lost: Called with the reason whenever the tunnel is lost or cannot be reopened.
        clock: Clock of the pauses.
    """

    def __init__(
        self,
        tunnel: Tunnel,
        port: int,
        *,
        on_url: Callable[[str], Awaitable[None]],
        on_lost: Callable[[str], None],
        clock: Clock | None = None,
    ) -> None:
        self._tunnel, self._port = tunnel, port
        self._on_url, self._on_lost = on_url, on_lost
        self._clock = clock or SystemClock()
        self.url: str | None = None
        """Public URL; None if the tunnel is not open."""

    async def run(self) -> None:
        """Open the tunnel and keep it open, until cancelled.

        Raises:
            TunnelOpenError: it could not be opened the first time, or reopening it failed in a way
                that a retry cannot help.
        """
        published: str | None = None
        try:
            self.url = await self._tunnel.open(self._port)
            while True:
                if self.url != published:
                    published = self.url
                    await self._on_url(published)
                reason = await self._tunnel.lost()
                self.url = None
                self._on_lost(reason)
                self.url = await self._opened_again()
        finally:
            self.url = None
            await self._tunnel.close()

    async def _opened_again(self) -> str:
        for n_failures in itertools.count(1):
            try:
                return await self._tunnel.open(self._port)
            except TunnelOpenError as error:
                if not error.transient:
                    raise
                _LOGGER.warning("The tunnel %s is not open: %s", self._tunnel.name, error.detail)
                self._on_lost(error.detail)
            await self._clock.sleep(BACKOFF.pause_s(n_failures))
        raise AssertionError  # pragma: no cover - the count has no end
