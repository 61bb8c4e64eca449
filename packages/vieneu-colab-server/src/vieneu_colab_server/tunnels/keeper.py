"""Keeps a tunnel open: opens it again when it is lost, and tells each URL."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_colab_server.tunnels.errors import TunnelOpenError
from vieneu_core.clock import Clock, SystemClock

_LOGGER = logging.getLogger(__name__)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class TunnelKeeper:
    """Keeps one tunnel to one port.

    Args:
        tunnel: The tunnel; it is closed at the end.
        port: Of 127.0.0.1.
        on_url: Told the URL whenever it is another one than before.
        on_lost: Told why whenever the tunnel is lost or cannot be opened again.
        clock: Time.
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
        """Where the port is reached; None while it is not."""

    async def run(self) -> None:
        """Open the tunnel and keep it open, until this is cancelled.

        Raises:
            TunnelOpenError: it could not be opened for the first time, or an attempt to open it
                again failed in a way that will not pass by itself.
        """
        told: str | None = None
        try:
            self.url = await self._tunnel.open(self._port)
            while True:
                if self.url != told:
                    told = self.url
                    await self._on_url(told)
                reason = await self._tunnel.lost()
                self.url = None
                self._on_lost(reason)
                self.url = await self._opened_again()
        finally:
            self.url = None
            await self._tunnel.close()

    async def _opened_again(self) -> str:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await self._tunnel.open(self._port)
            except TunnelOpenError as error:
                if not error.transient:
                    raise
                _LOGGER.warning("The tunnel %s is not open: %s", self._tunnel.name, error.detail)
                self._on_lost(error.detail)
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
