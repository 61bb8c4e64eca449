"""An HTTP proxy on this machine: requests in absolute form, and tunnels for TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from guard import GUARD_S
from yarl import URL

Address = tuple[str, int]


@dataclass
class HttpProxy:
    """Sends requests (RFC 9112, 3.2.2) and tunnels (3.2.3) on, by its own table of names."""

    to: Address | None = None
    """Where everything goes that the table does not have."""
    table: Mapping[str, Address] = field(default_factory=dict)
    """Where a tunnel to ``HOST:PORT`` goes."""
    url: URL = field(default_factory=URL)
    heads: list[bytes] = field(default_factory=list)
    authorization: str | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def targets(self) -> list[str]:
        """The method and the target of each request."""
        return [b" ".join(head.split(b" ", 2)[:2]).decode() for head in self.heads]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def aclose(self) -> None:
        """Close all connections, also those that a client keeps for later."""
        for writer in self._writers:
            writer.close()
        async with asyncio.timeout(GUARD_S):
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:
                with suppress(OSError):
                    await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        wanted = f"Proxy-Authorization: {self.authorization}".encode().lower()
        if self.authorization and wanted not in head.lower():
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        elif head.startswith(b"CONNECT "):
            await self._tunnel(head.split(b" ")[1].decode(), reader, writer)
        else:
            await self._send_on(head, reader, writer)
        writer.close()

    async def _send_on(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        assert self.to is not None
        first, rest = head.split(b"\r\n", 1)
        method, target, version = first.split(b" ")
        path = URL(target.decode()).raw_path_qs.encode()
        onward_reader, onward = await self._connected(self.to)
        onward.write(b" ".join((method, path, version)) + b"\r\nConnection: close\r\n" + rest)
        back = asyncio.create_task(_copy(onward_reader, writer))
        await _copy(reader, onward)
        await back

    async def _connected(
        self, address: Address
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*address)
        self._writers.append(writer)
        return reader, writer

    async def _tunnel(
        self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address = self.table.get(target, self.to)
        if address is None:
            writer.write(b"HTTP/1.1 502 Unknown host\r\nContent-Length: 0\r\n\r\n")
            return
        onward_reader, onward = await self._connected(address)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        back = asyncio.create_task(_copy(onward_reader, writer))
        await _copy(reader, onward)
        await back


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def http_proxy(
    to: Address | None = None, table: Mapping[str, Address] | None = None
) -> AsyncIterator[HttpProxy]:
    """Run a proxy."""
    proxy = HttpProxy(to=to, table=table or {})
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield proxy
    finally:
        server.close()
        await proxy.aclose()


def forget_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies of this machine's environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
