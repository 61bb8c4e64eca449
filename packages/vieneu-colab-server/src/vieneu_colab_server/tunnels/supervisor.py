"""Supervisor of a tunnel: checks its address, reopens a lost one, publishes each new URL."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_colab_server.tunnels.errors import AddressUnreachableError, TunnelOpenError
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.translatable import Translatable, joined

_LOGGER = logging.getLogger(__name__)
BACKOFF = Backoff(first_s=1.0, longest_s=60.0)
"""Pauses between failed attempts to reopen a lost tunnel. The first attempt is immediate."""
LASTING_BACKOFF = Backoff(first_s=5.0, longest_s=300.0)
"""The same after a refusal that a retry alone cannot help: somebody has to act first."""
CHECK_EVERY_S = 900.0
"""Seconds between checks of an open tunnel's address: at most 2 976 requests a month."""
FIRST_OPENINGS = 2
"""Times that a first tunnel is opened whose address does not answer."""


class Check(Protocol):
    """A check of an address; see `AddressCheck`."""

    async def __call__(self, url: str, *, server_may_be_away: bool = False) -> None:
        """Return once the server answers.

        Raises:
            AddressUnreachableError: it does not answer.
        """
        ...


class TunnelSupervisor:
    """Keeps one tunnel to one port open.

    After the first success nothing that the tunnel does ends it: it is retried until cancelled.

    Args:
        tunnel: The tunnel; it is closed at the end.
        port: Port of 127.0.0.1.
        check: Checks that the server answers at an address; None means that it needs none.
        on_url: Called with the URL whenever it has changed.
        on_lost: Called with the reason when the tunnel is lost, and with each new one meanwhile.
        clock: Clock of the pauses.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        tunnel: Tunnel,
        port: int,
        *,
        check: Check | None = None,
        on_url: Callable[[str], Awaitable[None]],
        on_lost: Callable[[str], None],
        clock: Clock | None = None,
    ) -> None:
        self._tunnel, self._port, self._check = tunnel, port, check
        self._on_url, self._on_lost = on_url, on_lost
        self._clock = clock or SystemClock()
        self._published: str | None = None
        self.url: str | None = None
        """Public URL; None if the tunnel is not open."""
        self.down_reason = ""
        """Why a tunnel that was open is not; empty if it is open."""

    async def run(self) -> None:
        """Open the tunnel and keep it open, until cancelled.

        Raises:
            TunnelOpenError: it could not be opened the first time.
        """
        try:
            url = await self._first_opened()
            await self._publish(url)
            while True:
                reason = await self._down()
                self.url = None
                self._notify(reason)
                await self._reopen()
        finally:
            self.url = None
            await self._tunnel.close()

    async def _first_opened(self) -> str:
        for n_openings in itertools.count(1):
            url = await self._tunnel.open(self._port)
            try:
                if self._check is not None:
                    await self._check(url)
            except AddressUnreachableError as error:
                if n_openings == FIRST_OPENINGS:
                    raise
                _LOGGER.warning("The tunnel %s is opened again: %s", self._tunnel.name, error)
            else:
                return url
        raise AssertionError  # pragma: no cover - the count has no end

    async def _publish(self, url: str) -> None:
        self.url, self.down_reason = url, ""
        if url != self._published:
            self._published = url
            await self._on_url(url)

    async def _down(self) -> str:
        """Wait until the tunnel is lost, or its address stops answering; return the reason."""
        watching = {
            asyncio.create_task(self._tunnel.lost()),
            asyncio.create_task(self._unreachable()),
        }
        try:
            done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        except Exception as error:  # noqa: BLE001 - the server outlives every fault of its tunnel
            return self._unexpected(error)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.wait(watching)

    async def _unreachable(self) -> str:
        while True:
            await self._clock.sleep(CHECK_EVERY_S)
            try:
                if self._check is not None and self.url is not None:
                    await self._check(self.url, server_may_be_away=True)
            except AddressUnreachableError as error:
                return error.detail

    async def _reopen(self) -> None:
        for n_failures in itertools.count(1):
            pause_s = LASTING_BACKOFF.pause_s(n_failures)
            try:
                url = await self._tunnel.open(self._port)
                if self._check is not None:
                    await self._check(url, server_may_be_away=True)
                return await self._publish(url)
            except TunnelOpenError as error:
                if error.transient:
                    pause_s = BACKOFF.pause_s(n_failures)
                pause_s = max(pause_s, error.retry_after_s or 0.0)
                says_what_to_do = joined(" ", (error.detail, error.remedy))
                self._notify(error.detail if error.transient else says_what_to_do)
            except Exception as error:  # noqa: BLE001 - the server outlives every fault of its tunnel
                self._notify(self._unexpected(error))
            await self._clock.sleep(pause_s)
        raise AssertionError  # pragma: no cover - the count has no end

    def _notify(self, reason: str) -> None:
        """Publish why the tunnel is closed; a reason that stays is sent once."""
        if reason == self.down_reason:
            return
        self.down_reason = reason
        _LOGGER.warning("The tunnel %s is not open: %s", self._tunnel.name, reason)
        self._on_lost(reason)

    def _unexpected(self, error: Exception) -> str:
        _LOGGER.error("The tunnel %s failed.", self._tunnel.name, exc_info=error)
        return Translatable("The tunnel failed unexpectedly ({kind}).", kind=type(error).__name__)
