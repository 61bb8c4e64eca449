"""`PublicServer`: a server and its tunnel, both kept alive. The house is told each address."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from vieneu_colab_server.address_callback import AddressCallback, AddressCallbackError
from vieneu_colab_server.server_process import Server, ServerStartError
from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_colab_server.tunnels.keeper import TunnelKeeper
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import VieneuError
from vieneu_core.synthesis import SynthesisRequest

_LOGGER = logging.getLogger(__name__)
RESTART_PAUSES_S = (0.0, 1.0, 5.0, 15.0, 30.0)
"""Before each further start of a server that ended; then it is given up."""
PREPARED_TEXT = "Xin chào."


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEvent:
    """Something that an admin has to know."""

    kind: str
    """``loading``, ``spoken``, ``voice_prepared``, ``voice_missing``, ``address``, ``house_told``,
    ``house_not_told``, ``tunnel_lost``, ``server_ended`` or ``server_restarted``."""
    detail: str = ""
    """What there is to say about it: an address, a reason, a voice."""


class PublicServer:
    """Opens a server to the outside once it has spoken, and keeps both running.

    Args:
        server: Owned; stopped at the end.
        tunnel: Owned; closed at the end.
        callback_url: Of the house that is told; None is nobody.
        voices: Spoken with once before anybody asks, so that nothing is left to be prepared.
        tell: Hears what an admin has to know.
        clock: Time.

    Raises:
        ConfigurationError: the callback URL cannot be used.
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
    ) -> None:
        self.server = server
        self.tunnel = tunnel
        self.address_updated = False
        """Whether the house has taken the present address."""
        self._voices, self._tell = tuple(voices), notify
        self._clock = clock or SystemClock()
        self._house = None
        if callback_url is not None:
            url = callback_url.get_secret_value()
            self._house = AddressCallback(url, lambda: server.token, clock=self._clock)
        self._url: asyncio.Future[str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: TunnelKeeper | None = None

    @property
    def url(self) -> str | None:
        """Where it is reached from outside; None while it is not."""
        return self._keeper.url if self._keeper is not None else None

    @property
    def ends_at(self) -> datetime | None:
        """When the session ends by itself; None: never."""
        return self.server.ends_at

    async def open(self) -> str:
        """Start the server, have it speak, open the tunnel; return the public URL.

        Raises:
            ServerStartError: the server does not start.
            TunnelOpenError: the tunnel cannot be opened.
            VieneuError: the model does not speak.
        """
        try:
            self._say("loading")
            await self.server.start()
            await self.server.speak()
            self._say("spoken")
            await self._prepare_voices()
            return await self._opened()
        except BaseException:
            await self.close()
            raise

    async def keep(self) -> None:
        """Wait while both are kept running; ends only with an error, or by `close`.

        Raises:
            ServerStartError: the server ended, and does not start any more.
            TunnelOpenError: the tunnel cannot be opened again.
        """
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled():
                task.result()

    async def close(self) -> None:
        """Close the tunnel and stop the server. Without effect where both have ended."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._keeper = None
        await self.server.stop()

    async def _prepare_voices(self) -> None:
        for voice in self._voices:
            try:
                await self.server.speak(SynthesisRequest(text=PREPARED_TEXT, voice=voice))
            except VieneuError as error:
                self._say("voice_missing", f"{voice}: {error}")
            else:
                self._say("voice_prepared", voice)

    async def _opened(self) -> str:
        self._url = asyncio.get_running_loop().create_future()
        self._keeper = TunnelKeeper(
            self.tunnel,
            self.server.port,
            on_url=self._on_url,
            on_lost=lambda reason: self._say("tunnel_lost", reason),
            clock=self._clock,
        )
        keeping = asyncio.create_task(self._keeper.run(), name="vieneu-tunnel")
        self._tasks = {keeping, asyncio.create_task(self._keep_server(), name="vieneu-server")}
        waited: set[asyncio.Future[Any]] = {*self._tasks, self._url}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if self._url.done():
            return self._url.result()
        await self.keep()
        raise AssertionError  # pragma: no cover - one of them has failed

    async def _on_url(self, url: str) -> None:
        self._say("address", url)
        self.address_updated = False
        if self._house is not None:
            try:
                await self._house.announce(url, self.ends_at)
            except AddressCallbackError as error:
                self._say("house_not_told", str(error))
            else:
                self.address_updated = True
                self._say("house_told")
        if self._url is not None and not self._url.done():
            self._url.set_result(url)

    async def _keep_server(self) -> None:
        while True:
            self._say("server_ended", await self.server.ended())
            await self._restart()
            self._say("server_restarted")

    async def _restart(self) -> None:
        for n_left, pause_s in zip(
            reversed(range(len(RESTART_PAUSES_S))), RESTART_PAUSES_S, strict=True
        ):
            await self._clock.sleep(pause_s)
            try:
                await self.server.start()
            except ServerStartError as error:
                if not n_left:
                    raise
                self._say("server_ended", error.detail)
            else:
                return

    def _say(self, kind: str, detail: str = "") -> None:
        _LOGGER.info("%s %s", kind, detail)
        self._tell(PublicEvent(kind=kind, detail=detail))
