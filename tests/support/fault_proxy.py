"""A proxy between a client and a real server that makes one thing go wrong at one moment.

It speaks HTTP/1.1 over real sockets. What goes wrong, and when, is a `Fault` of `fault_line`.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from fault_line import Fault, Line, Moment


@dataclass(slots=True)
class Seen:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


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
