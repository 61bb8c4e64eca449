"""Incoming events of the Wyoming protocol, read within bounds.

The package ``wyoming`` reads data and payload of whatever length an event states, and has no limit
of time; so events are read here, and only written by the package.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vieneu_core.errors import InvalidRequestError
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import parse_json

MAX_SKIPPED_BYTES = 16 << 20
"""What is too long is read and dropped up to this length, so that the connection can go on."""
_PIECE_BYTES = 1 << 16


class EventError(InvalidRequestError):
    """What a client sent is no event: where the next one begins is unknown."""

    default_remedy = "This port speaks the Wyoming protocol; HTTP is on another port."


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of a client. Its payload is dropped: no event that is served here has one."""

    type: str
    data: Mapping[str, Any]
    too_long: bool = False
    """Its data exceeded the limit, and was dropped."""


class EventReader:
    """Reads the events of one connection.

    Args:
        reader: Its own limit bounds the header of an event.
        max_data_bytes: Longest data that is kept.
        timeout_s: Longest time from the first byte of an event to its last.
    """

    def __init__(
        self, reader: asyncio.StreamReader, *, max_data_bytes: int, timeout_s: float
    ) -> None:
        self._reader = reader
        self._max_data_bytes = max_data_bytes
        self._timeout_s = timeout_s

    async def read(self, idle_s: float) -> Incoming | None:
        """Return the next event; None where the client has gone.

        Raises:
            TimeoutError: no event began within ``idle_s``.
            EventError: it is no event, is far too long, or did not arrive in time.
        """
        try:
            async with asyncio.timeout(idle_s):
                first = await self._reader.read(1)
            return await self._within_time(first) if first else None
        except TimeoutError:
            raise
        except (OSError, asyncio.IncompleteReadError):
            return None

    async def drop_rest(self) -> None:
        """Read and drop everything until the client closes its side."""
        while await self._reader.read(_PIECE_BYTES):
            pass

    async def _within_time(self, first: bytes) -> Incoming:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._event(first)
        except TimeoutError:
            raise EventError(
                Translatable(
                    "An event was not complete after {timeout_s:g} s.", timeout_s=self._timeout_s
                ),
                remedy="Send each event as a whole.",
            ) from None

    async def _event(self, first: bytes) -> Incoming:
        header = _object(await self._line(first))
        kind = header.get("type")
        if not isinstance(kind, str):
            raise EventError("An event has no type.")
        n_data, n_payload = _length(header, "data_length"), _length(header, "payload_length")
        if n_data + n_payload > MAX_SKIPPED_BYTES:
            raise EventError(
                Translatable(
                    "An event has {n_bytes} bytes; this server takes {max_bytes}.",
                    n_bytes=n_data + n_payload,
                    max_bytes=self._max_data_bytes,
                ),
                remedy="Send a shorter text, or several requests.",
            )
        data = header.get("data") or {}
        if not isinstance(data, dict):
            raise EventError("The data of an event is not an object.")
        too_long = n_data > self._max_data_bytes
        if too_long:
            await self._skip(n_data)
        elif n_data:
            data = {**data, **_object(await self._reader.readexactly(n_data))}
        await self._skip(n_payload)
        return Incoming(kind, data, too_long)

    async def _line(self, first: bytes) -> bytes:
        if first == b"\n":
            return first
        try:
            return first + await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise EventError(
                Translatable(
                    "The header of an event is longer than {max_bytes} bytes.",
                    max_bytes=self._max_data_bytes,
                )
            ) from None

    async def _skip(self, n_bytes: int) -> None:
        while n_bytes:
            n_bytes -= len(await self._reader.readexactly(min(n_bytes, _PIECE_BYTES)))


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = parse_json(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EventError("An event is not a JSON object.")
    return found


def _length(header: Mapping[str, Any], name: str) -> int:
    value = header.get(name)
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise EventError(Translatable("{name} is not a number of bytes.", name=name))
    return value
