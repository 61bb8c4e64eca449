"""`PublicServer`: a public server process that is restarted when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import SecretStr

from vieneu_colab_server.address_callback import AddressCallback
from vieneu_colab_server.exposure import Exposure, PublicEvent
from vieneu_colab_server.server_process import Server, ServerStartError
from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_colab_server.tunnels.supervisor import Check
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock, SystemClock

MAX_RESTARTS = 5
"""Number of failed restarts in a row after which there is no further one."""
RESTART_BACKOFF = Backoff(first_s=1.0, factor=3.0, longest_s=30.0)
"""Pauses between failed restarts. The first restart is immediate."""


class PublicServer:
    """Makes a server public after a test sentence, and keeps it and its tunnel running.

    Args:
        server: The server, stopped at the end.
        tunnel: The tunnel, closed at the end.
        callback_url: Webhook of Home Assistant that receives each new address; None means none.
        voices: Ids of voices to warm up, so that their first request is fast.
        notify: Called with each event.
        clock: Clock of server and tunnel.
        check: Checks that the server answers at a public URL; None requests its health there.

    Raises:
        ConfigurationError: the callback URL is invalid.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        server: Server,
        tunnel: Tunnel,
        *,
        callback_url: SecretStr | None = None,
        voices: Sequence[str] = (),
        notify: Callable[[PublicEvent], None] = lambda _: None,
        clock: Clock | None = None,
        check: Check | None = None,
    ) -> None:
        self.server = server
        self.tunnel = tunnel
        self._clock = clock or SystemClock()
        callback = None
        if callback_url is not None:
            url = callback_url.get_secret_value()
            callback = AddressCallback(url, lambda: server.token, clock=self._clock)
        self._exposure = Exposure(
            server,
            tunnel,
            callback=callback,
            voices=voices,
            notify=notify,
            clock=self._clock,
            check=check,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str | None:
        """Public URL; None if the tunnel is not open."""
        return self._exposure.url

    @property
    def down_reason(self) -> str:
        """Why a tunnel that was open is not; empty if it is open, or was not yet."""
        return self._exposure.down_reason

    @property
    def address_updated(self) -> bool:
        """Whether Home Assistant has the current address."""
        return self._exposure.address_updated

    @property
    def ends_at(self) -> datetime | None:
        """End of the session; None if it has no end."""
        return self.server.ends_at

    async def open(self) -> str:
        """Start the server, speak a test sentence, open the tunnel; return the public URL.

        Raises:
            ServerStartError: the server does not start.
            TunnelOpenError: the tunnel cannot be opened.
            VieneuError: the test sentence failed.
        """
        try:
            await self._exposure.prepare()
            self._tasks = {
                asyncio.create_task(self._exposure.keep(), name="vieneu-tunnel"),
                asyncio.create_task(self._keep_server(), name="vieneu-server"),
            }
            return await self._opened()
        except BaseException:
            await self.close()
            raise

    async def keep(self) -> None:
        """Keep both running; ends only with an error, or by `close`.

        Raises:
            ServerStartError: the server ended and cannot be restarted.
        """
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled():
                task.result()

    async def close(self) -> None:
        """Close the tunnel and stop the server. Without effect if both have ended."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.server.stop()

    async def _opened(self) -> str:
        opened = asyncio.create_task(self._exposure.opened())
        try:
            await asyncio.wait({opened, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            if opened.done():
                return opened.result()
            await self.keep()
            raise AssertionError  # pragma: no cover - one of the tasks has failed
        finally:
            opened.cancel()

    async def _keep_server(self) -> None:
        while True:
            self._emit_ended(await self.server.ended())
            await self._restart()
            self._exposure.emit(PublicEvent(kind="server_restarted"))

    async def _restart(self) -> None:
        for n_failures in range(1, MAX_RESTARTS):
            try:
                await self.server.start()
            except ServerStartError as error:
                self._emit_ended(error.detail)
            else:
                return
            await self._clock.sleep(RESTART_BACKOFF.pause_s(n_failures))
        await self.server.start()

    def _emit_ended(self, reason: str) -> None:
        self._exposure.emit(PublicEvent(kind="server_ended", detail=reason))
