"""The sending side of a connection: events, errors, and its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from wyoming.error import Error
from wyoming.event import Event, async_write_event

from vieneu_colab_server.disconnect import ClientGoneError
from vieneu_core.cli.error_messages import error_line
from vieneu_core.errors import VieneuError

CLOSE_TIMEOUT_S = 2.0
"""How long the last bytes may take to leave."""


class EventSender:
    """Sends events to one client.

    Args:
        writer: Of the connection.
        timeout_s: A client that reads nothing for so long counts as disconnected.
        language: In which errors are described.
    """

    def __init__(self, writer: asyncio.StreamWriter, *, timeout_s: float, language: str) -> None:
        self._writer = writer
        self._timeout_s = timeout_s
        self._language = language

    async def send(self, event: Event) -> None:
        """Send an event.

        Raises:
            ClientGoneError: the client has gone, or reads nothing.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await async_write_event(event, self._writer)
        except OSError as error:  # TimeoutError is one
            self.abort()
            raise ClientGoneError from error

    async def send_error(self, error: VieneuError) -> None:
        """Send an ``error`` event.

        Raises:
            ClientGoneError: the client has gone, or reads nothing.
        """
        await self.send(Error(text=error_line(error, self._language), code=error.code).event())

    def end(self) -> None:
        """State that nothing follows; the client may still send."""
        with suppress(OSError):
            self._writer.write_eof()

    def abort(self) -> None:
        """Close the connection at once; what has not left is lost."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close the connection once everything has left."""
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._writer.wait_closed()
        except OSError:  # TimeoutError is one: the client reads nothing
            self.abort()
