"""One connection to a Wyoming server: events written, and read within bounds.

An event is a line of JSON, ``{"type": …, "data_length": …, "payload_length": …}``, then that many
bytes of JSON data and of payload (https://github.com/OHF-Voice/wyoming). The package ``wyoming``
reads data and payload of whatever length a server states, and has no limit of time for one event;
two kinds of events are written here, so the package is not needed.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from vieneu_core.arguments import check_fields
from vieneu_core.credentials.wyoming_url import WyomingAddress
from vieneu_core.errors import (
    BackendConnectionError,
    BackendTimeoutError,
    BadResponseError,
    ConfigurationError,
    ConnectTimeoutError,
    HostNotFoundError,
    StreamInterruptedError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import parse_json

MAX_HEADER_BYTES = 1 << 20
"""Longest header: older servers put the description of all their voices into it."""
MAX_DATA_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = 8 << 20
"""Longest payload: a server may send a whole sentence as one chunk."""
_REMEDY = Translatable("Check that local.url leads to a Wyoming server with speech synthesis.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WyomingTimeouts:
    """Time limits for waiting, in seconds.

    Raises:
        ConfigurationError: a limit is not a number above 0.
    """

    connect_s: float = 3.0
    """Until the connection is established."""
    describe_s: float = 5.0
    """For the description of the server's voices."""
    first_audio_s: float = 20.0
    """From the text to its first audio; a server may have to load the voice first."""
    stall_s: float = 5.0
    """Longest pause after audio has begun."""

    def __post_init__(self) -> None:
        check_fields(self)
        for limit in fields(self):
            value: float = getattr(self, limit.name)
            if not value > 0:
                raise ConfigurationError(
                    Translatable(
                        "{limit} is {value}; it must be above 0.", limit=limit.name, value=value
                    )
                )


class Wait:
    """Time limit for one thing that the server has to send, however many events come before it.

    Args:
        limit_s: Seconds from now.
        late: Class of the error where it does not come in time.
    """

    def __init__(self, limit_s: float, late: type[BackendTimeoutError]) -> None:
        self.limit_s = limit_s
        self.late = late
        self._until_s = time.monotonic() + limit_s

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._until_s - time.monotonic())


@dataclass(frozen=True, slots=True)
class WyomingEvent:
    """One event of the server."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = field(default=b"", repr=False)


class WyomingConnection:
    """Writes events to a server, and reads its events."""

    def __init__(
        self,
        address: WyomingAddress,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._address = address
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def open(
        cls, address: WyomingAddress, timeouts: WyomingTimeouts
    ) -> AsyncGenerator[WyomingConnection, None]:
        """Connect to a server; the connection is closed at once at the end.

        Raises:
            BackendConnectionError: it cannot be reached; the subclass says why.
        """
        try:
            async with asyncio.timeout(timeouts.connect_s):
                reader, writer = await asyncio.open_connection(
                    address.host, address.port, limit=MAX_HEADER_BYTES
                )
        except TimeoutError as error:
            raise ConnectTimeoutError(
                Translatable(
                    "The Wyoming server {address} accepted no connection within {seconds:g} s.",
                    address=address,
                    seconds=timeouts.connect_s,
                ),
                remedy=_REMEDY,
            ) from error
        except socket.gaierror as error:
            raise HostNotFoundError(
                Translatable(
                    "The host of the Wyoming server {address} is not known.", address=address
                ),
                remedy=_REMEDY,
            ) from error
        except OSError as error:
            raise _unreachable(address, error) from error
        try:
            yield cls(address, reader, writer)
        finally:
            writer.transport.abort()  # the server stops what nobody waits for

    async def send(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Write an event.

        Raises:
            BackendConnectionError: the server has gone.
        """
        content = json.dumps(data).encode() if data else b""
        header = {"type": kind, **({"data_length": len(content)} if content else {})}
        try:
            self._writer.write(json.dumps(header).encode() + b"\n" + content)
            await self._writer.drain()
        except OSError as error:
            raise _unreachable(self._address, error) from error

    async def read(self, wait: Wait) -> WyomingEvent:
        """Return the next event.

        Raises:
            BackendTimeoutError: the time is over; of the class `Wait.late`.
            StreamInterruptedError: the server closed the connection.
            BadResponseError: it is no event, or too long.
        """
        try:
            async with asyncio.timeout(wait.left_s):
                return await self._event()
        except TimeoutError as error:
            raise wait.late(
                Translatable(
                    "The Wyoming server {address} did not answer within {seconds:g} s.",
                    address=self._address,
                    seconds=wait.limit_s,
                ),
                remedy="Check that the server is not overloaded.",
            ) from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise StreamInterruptedError(
                Translatable(
                    "The Wyoming server {address} closed the connection before its answer was"
                    " complete.",
                    address=self._address,
                ),
                remedy="See the server's log.",
            ) from error

    async def _event(self) -> WyomingEvent:
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise self._too_long(MAX_HEADER_BYTES) from None
        header = self._object(line)
        kind, data = header.get("type"), header.get("data") or {}
        if not isinstance(kind, str) or not isinstance(data, dict):
            raise self._no_event()
        n_data = self._length(header, "data_length", MAX_DATA_BYTES)
        n_payload = self._length(header, "payload_length", MAX_PAYLOAD_BYTES)
        if n_data:
            data = {**data, **self._object(await self._reader.readexactly(n_data))}
        payload = await self._reader.readexactly(n_payload) if n_payload else b""
        return WyomingEvent(kind, data, payload)

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            found = parse_json(content)
        except ValueError:
            raise self._no_event() from None
        if not isinstance(found, dict):
            raise self._no_event()
        return found

    def _length(self, header: Mapping[str, Any], name: str, most: int) -> int:
        value = header.get(name)
        if value is None:
            return 0
        if type(value) is not int or value < 0:
            raise self._no_event()
        if value > most:
            raise self._too_long(most)
        return value

    def _no_event(self) -> BadResponseError:
        return BadResponseError(
            Translatable("{address} does not speak the Wyoming protocol.", address=self._address),
            remedy=_REMEDY,
        )

    def _too_long(self, most: int) -> BadResponseError:
        return BadResponseError(
            Translatable(
                "The Wyoming server {address} sent an event that is longer than {most} bytes.",
                address=self._address,
                most=most,
            ),
            remedy=_REMEDY,
        )


def _unreachable(address: WyomingAddress, error: OSError) -> BackendConnectionError:
    # For several addresses asyncio gives one error without a number; its text contains them.
    none = "none of its addresses accepts a connection"
    return BackendConnectionError(
        Translatable(
            "The Wyoming server {address} cannot be reached: {reason}.",
            address=address,
            reason=os.strerror(error.errno) if error.errno else none,
        ),
        remedy="Check that the server is running, and that local.url is current.",
    )
