"""A proxy between a client and a real server that makes one thing go wrong at one moment.

It speaks HTTP/1.1 over real sockets. A `Fault` waits for the next request of its method and happens

* before the audio: in place of the answer, or of its first byte;
* during it: in the middle of the second AUDIO frame, so that some of the sentence was heard;
* after the first sentence: between two frames, when one sentence was heard whole.

What happens then is a function that is given the `Line` to the client.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from vieneu_core.wire.framing import HEADER, FrameType

EDGE_REPLIES = Path(__file__).parent / "fixtures" / "edge"
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


@dataclass(slots=True)
class Seen:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


# --- what can happen -------------------------------------------------------------------------


async def reset(line: Line) -> None:
    line.reset()


async def half_open(line: Line) -> None:
    await line.silence()


async def close_dirty(line: Line) -> None:
    line.close()


async def end_clean(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send(LAST_CHUNK)


async def garbage(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send_chunk(bytes(range(255, 0, -1)))
    await line.pass_on()


async def broken_chunks(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send(b"zzzz\r\nthis is no chunk\r\n")


async def web_page(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send_chunk(b"<!DOCTYPE html><html><head><title>Oops</title></head></html>")
    await line.send(LAST_CHUNK)


async def bit_flip(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    data = bytearray(await anext(line.rest))
    data[len(data) // 2] ^= 0x10
    await line.send_chunk(bytes(data))
    await line.pass_on()


async def gzip_bytes(line: Line) -> None:
    """Compress what is left, and say nothing of it in the head."""
    if line.head:
        await line.send(line.head)
    await line.send_chunk(gzip.compress(b"".join([data async for data in line.rest])))
    await line.send(LAST_CHUNK)


async def gzip_coded(line: Line) -> None:
    """Compress it, and say so, though the client forbade it."""
    await line.send(line.head.replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1))
    await line.send_chunk(gzip.compress(b"".join([data async for data in line.rest])))
    await line.send(LAST_CHUNK)


async def not_http(line: Line) -> None:
    await line.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is no HTTP\r\n\r\n")
    line.close()


async def endless_header(line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    with suppress(ConnectionError):
        for _ in range(64):
            await line.send(b"a" * 65_536)
    line.close()


def trickle(seconds: float, *, n_bytes: int = 2) -> Act:
    """Send what is left a few bytes at a time."""

    async def act(line: Line) -> None:
        if line.head:
            await line.send(line.head)
        async for data in line.rest:
            for at in range(0, len(data), n_bytes):
                await line.send_chunk(data[at : at + n_bytes])
                await asyncio.sleep(seconds)

    return act


def held(gate: asyncio.Event) -> Act:
    """Hold what is left until the gate opens."""

    async def act(line: Line) -> None:
        if line.head:
            await line.send(line.head)
        await gate.wait()
        await line.pass_on()

    return act


def reply(recorded: bytes) -> Act:
    """Answer with a recorded reply in place of the server."""

    async def act(line: Line) -> None:
        await line.send(recorded)
        line.close()

    return act


def edge_reply(name: str) -> bytes:
    """Return a recorded reply as bytes of HTTP."""
    head, _, body = (EDGE_REPLIES / f"{name}.http").read_bytes().partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.startswith(b"Content-Length")]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


# --- the proxy -------------------------------------------------------------------------------


class FaultProxy:
    """Listens on loopback and passes on to ``upstream`` (host, port)."""

    def __init__(self, upstream: tuple[str, int], *, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = upstream
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.faults: deque[Fault] = deque()
        self.seen: list[Seen] = []
        self.n_connections = 0
        self.asked = asyncio.Event()
        """Set once a ``POST`` came."""
        self.client_left = asyncio.Event()
        """Set when the client went away while something was being sent to it."""
        self.canned: dict[str, bytes] = {}
        """Answers by path, given in the server's place."""
        self.rewrite: tuple[bytes, bytes] = (b"", b"")
        """What is put in place of what in the heads of the server's answers."""
        self.close_after_answer = False
        """Close each connection behind its answer, as a server does with an idle one."""

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def posts(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == "POST"]

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "localhost", 0, ssl=self._tls)

    async def aclose(self) -> None:
        assert self._server is not None
        self._closing.set()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.n_connections += 1
        try:
            while (seen := await _read_request(reader)) is not None:
                self.seen.append(seen)
                if seen.method == "POST":
                    self.asked.set()
                if seen.path in self.canned:
                    writer.write(self.canned[seen.path])
                    break
                await self._serve(seen, writer)
                if writer.is_closing() or self.close_after_answer:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass  # a side went away, or the test is over
        finally:
            writer.close()

    async def _serve(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        fault = self._next_fault(seen)
        line = Line(writer, self._closing)
        async with self._answer(seen) as (head, line.rest):
            line.head = re.sub(self.rewrite[0], self.rewrite[1], head) if self.rewrite[0] else head
            if fault is None or fault.moment is not Moment.BEFORE:
                await line.send(line.head)
                line.head = b""
            try:
                if fault is None:
                    await line.pass_on()
                    return
                await line.pass_on_until(fault.moment)
                if fault.gate is not None:
                    await fault.gate.wait()
                await fault.act(line)
            except ConnectionError:
                self.client_left.set()
                raise

    def _next_fault(self, seen: Seen) -> Fault | None:
        if not self.faults or self.faults[0].method != seen.method:
            return None
        fault = self.faults.popleft()
        if fault.skip:
            self.faults.appendleft(replace(fault, skip=fault.skip - 1))
            return None
        return fault

    @asynccontextmanager
    async def _answer(
        self, seen: Seen
    ) -> AsyncGenerator[tuple[bytes, AsyncGenerator[bytes, None]], None]:
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            writer.write(_request_bytes(seen))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            payload = _payload(reader, head)
            async with aclosing(payload):
                yield _chunked(head), payload
        finally:
            writer.close()


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


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, value in (x.split(":", 1) for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, body)


def _request_bytes(seen: Seen) -> bytes:
    headers = seen.headers | {"connection": "close"}
    lines = [f"{seen.method} {seen.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + seen.body


def _chunked(head: bytes) -> bytes:
    """Return the head of an answer that is sent in chunks, whatever it was before."""
    lines = [
        line
        for line in head.rstrip().split(b"\r\n")
        if not re.match(rb"(content-length|transfer-encoding|connection):", line, re.IGNORECASE)
    ]
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n"


async def _payload(reader: asyncio.StreamReader, head: bytes) -> AsyncGenerator[bytes, None]:
    """Yield the body of an answer as it comes, without the chunks around it."""
    if re.search(rb"\r\ntransfer-encoding:\s*chunked", head, re.IGNORECASE):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        return
    while data := await reader.read(65_536):
        yield data
