"""The line from a proxy to its client: what goes wrong on it, and when.

A `Fault` waits for the next request of its method and happens

* before the audio: in place of the answer, or of its first byte;
* during it: in the middle of the second AUDIO frame, so that some of the sentence was heard;
* after the first sentence: between two frames, when one sentence was heard whole.

What happens then is a function that is given the `Line` to the client (see `line_faults`).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from vieneu_core.wire.framing import HEADER, FrameType

LAST_CHUNK = b"0\r\n\r\n"


class Moment(Enum):
    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class Line:
    """What a fault can do: write to the client, and read on from the server."""

    def __init__(self, writer: asyncio.StreamWriter, closing: asyncio.Event) -> None:
        self._writer = writer
        self._closing = closing
        self.head = b""
        """Head of the server's answer, not yet sent where the moment is BEFORE."""
        self.rest: AsyncGenerator[bytes, None]
        """What the server still sends, without the chunks of HTTP around it."""

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def send_chunk(self, data: bytes) -> None:
        """Send bytes as one chunk of HTTP."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def pass_on(self) -> None:
        """Send all that the server still sends, to its clean end."""
        async for data in self.rest:
            await self.send_chunk(data)
        await self.send(LAST_CHUNK)

    async def pass_on_until(self, moment: Moment) -> None:
        """Send what comes before a moment; ``rest`` is then what comes from there on."""
        if moment is Moment.BEFORE:
            return
        frames, n_audio = _frames(self.rest), 0
        async for frame in frames:
            n_audio += frame[0] == FrameType.AUDIO
            if moment is Moment.DURING and n_audio == 2:
                await self.send_chunk(frame[: len(frame) // 2])
                self.rest = _behind(frame[len(frame) // 2 :], frames)
                return
            await self.send_chunk(frame)
            if moment is Moment.AFTER and frame[0] == FrameType.SENTENCE_END:
                self.rest = frames
                return
        raise AssertionError(f"The answer has no moment {moment}.")

    async def silence(self) -> None:
        """Send nothing more, and keep the connection open until the proxy closes."""
        await self._closing.wait()

    def reset(self) -> None:
        """Break the connection as a crash does."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        """Close the connection, with or without an end of the answer."""
        self._writer.close()


Act = Callable[[Line], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request, and when."""

    moment: Moment
    act: Act
    skip: int = 0
    """Requests that pass unharmed before it."""
    method: str = "POST"
    gate: asyncio.Event | None = None
    """Waits for this at its moment, so that the client has what was sent before."""


async def _frames(payload: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield whole frames, as bytes. What is no frame comes at the end, as one piece."""
    buffer = bytearray()
    async for data in payload:
        buffer += data
        while len(buffer) >= HEADER.size:
            end = HEADER.size + HEADER.unpack_from(buffer)[2]
            if len(buffer) < end:
                break
            yield bytes(buffer[:end])
            del buffer[:end]
    if buffer:
        yield bytes(buffer)


async def _behind(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield first
    async for data in rest:
        yield data
