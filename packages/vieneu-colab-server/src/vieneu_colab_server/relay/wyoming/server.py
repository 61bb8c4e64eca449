"""The Wyoming server: listens, serves its clients, and stops gracefully."""

from __future__ import annotations

import asyncio
import logging

from vieneu_colab_server.advertisement.multicast import Advertisement, check_advertised_name
from vieneu_colab_server.relay.wyoming.connection import Connection
from vieneu_colab_server.relay.wyoming.limits import WyomingLimits
from vieneu_colab_server.relay.wyoming.listening import (
    Listener,
    UnixAddress,
    open_listener,
    parse_address,
)
from vieneu_colab_server.relay.wyoming.speech_source import ListVoices, Speak, SpeechSource
from vieneu_colab_server.relay.wyoming.zeroconf import advertised_server
from vieneu_core.errors import BackendBusyError, BackendDrainingError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
CLOSE_TIMEOUT_S = 5.0
"""How long the last events may take to leave."""


class WyomingServer:
    """Speaks for Wyoming clients.

    Args:
        address: ``tcp://HOST:PORT`` (port 0 takes a free one) or ``unix:///PATH``.
        speak: Speaks a request, as `Backend.stream` and `QueuedSpeech` do.
        voices: Lists the voices, as `Backend.voices` does.
        limits: Bounds of what clients may do.
        language: In which errors are described.
        advertised_as: Name by which it is advertised by multicast DNS; None does not advertise it.

    Raises:
        ConfigurationError: the address or the name cannot be used.
    """

    def __init__(  # noqa: PLR0913 - its parts, most with defaults
        self,
        address: str,
        speak: Speak,
        voices: ListVoices,
        *,
        limits: WyomingLimits | None = None,
        language: str = "en",
        advertised_as: str | None = None,
    ) -> None:
        self._address = parse_address(address)
        self._source = SpeechSource(speak=speak, voices=voices, language=language)
        self._limits = limits or WyomingLimits()
        self._advertised_as = advertised_as
        if advertised_as is not None:
            check_advertised_name(advertised_as)
        self._listener: Listener | None = None
        self._server: asyncio.Server | None = None
        self._advertisement: Advertisement | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}

    @property
    def url(self) -> str:
        """URI at which it listens.

        Raises:
            RuntimeError: it does not.
        """
        if self._listener is None:
            msg = "The server was not started."
            raise RuntimeError(msg)
        return self._listener.url

    @property
    def n_connections(self) -> int:
        """Clients that are connected."""
        return len(self._connections)

    async def start(self) -> None:
        """Begin to listen, then advertise the server where that is wanted.

        Raises:
            ConfigurationError: the address is in use, or what cannot be reached is advertised.
        """
        self._listener = await open_listener(self._address)
        try:
            self._advertisement = self._advertisement_of(self._listener.url)
            self._server = await self._serve(self._listener)
            if self._advertisement is not None:
                await self._advertisement.publish()
        except BaseException:
            await self.stop(0)
            raise
        _LOGGER.info("Wyoming clients are served at %s.", self.url)

    async def stop(self, within_s: float = 30.0) -> None:
        """Take no new request, finish what is being spoken, and close all connections.

        Args:
            within_s: How long running speech may go on, in seconds; then it ends with an error.
        """
        listener, self._listener = self._listener, None
        if listener is not None:
            (self._server or listener.socket).close()
            listener.remove_file()
        for connection in self._connections.values():
            connection.drain()
        if self._advertisement is not None:
            await self._advertisement.withdraw()
        await self._ended(within_s)
        for connection in self._connections.values():
            connection.stop(BackendDrainingError("The server has shut down."))
        await self._ended(CLOSE_TIMEOUT_S)
        for task in self._connections:
            task.cancel()
        await self._ended(None)

    async def _ended(self, within_s: float | None) -> None:
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=within_s)

    async def _serve(self, listener: Listener) -> asyncio.Server:
        limit = self._limits.max_event_bytes
        if isinstance(self._address, UnixAddress):
            return await asyncio.start_unix_server(self._accept, sock=listener.socket, limit=limit)
        return await asyncio.start_server(self._accept, sock=listener.socket, limit=limit)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        n_connections = len(self._connections)
        if n_connections >= 2 * self._limits.max_connections:  # not even worth a reason
            writer.transport.abort()
            return
        connection = Connection(reader, writer, self._source, self._limits)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio makes one for each connection
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)
        if self._listener is None:
            await connection.refuse(BackendDrainingError("The server is shutting down."))
        elif n_connections >= self._limits.max_connections and not self._made_room():
            await connection.refuse(_too_many(n_connections))
        else:
            await connection.serve()

    def _made_room(self) -> bool:
        """Close the oldest connection on which nothing was asked; return whether there is one.

        Whoever opens many and says nothing must not keep everybody else out.
        """
        for connection in self._connections.values():
            if connection.is_silent:
                connection.abort()
                return True
        return False

    def _advertisement_of(self, url: str) -> Advertisement | None:
        if self._advertised_as is None:
            return None
        return Advertisement(advertised_server(self._advertised_as, url))


def _too_many(n_connections: int) -> BackendBusyError:
    return BackendBusyError(
        Translatable("{n_clients} clients are connected already.", n_clients=n_connections)
    )
