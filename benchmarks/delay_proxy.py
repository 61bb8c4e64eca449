"""Proxy that simulates a distant server: forwards TCP, each direction half a round trip later.

A proxy cannot delay the TCP handshake, which the kernel answers at once. So the first bytes of a
connection wait one round trip longer: they arrive as late as if ``connect`` had taken that long.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

_Piece = tuple[float, bytes]
"""When it is to arrive, in seconds of the loop's clock, and what."""


class DelayProxy:
    """Listens on loopback and passes on to ``upstream``; counts bytes."""

    def __init__(self, upstream: tuple[str, int], *, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = upstream
        self._tls = tls
        self._listener: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self.round_trip_s = 0.0
        """Time that is added to every round trip; may be changed at any time."""
        self.n_up = self.n_down = 0
        """Bytes so far, to the server and from it."""

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._listener is not None
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Open the port."""
        self._listener = await asyncio.start_server(self._accept, "localhost", 0, ssl=self._tls)

    async def hang_up(self) -> None:
        """Close all connections, as a tunnel does with idle ones."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await asyncio.sleep(0.05)  # until the client has seen it

    async def aclose(self) -> None:
        """Close the port and all connections."""
        assert self._listener is not None
        self._listener.close()
        await self.hang_up()
        await self._listener.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        stands_at_s = asyncio.get_running_loop().time() + self.round_trip_s
        # Cancelled only from `hang_up`; the task is ours, and nobody awaits its outcome.
        with suppress(asyncio.CancelledError, ConnectionError, ssl.SSLError):
            await asyncio.gather(
                self._pass(reader, up_writer, stands_at_s, up=True),
                self._pass(up_reader, writer, stands_at_s, up=False),
            )
        writer.close()
        up_writer.close()
        self._calls.discard(call)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        stands_at_s: float,
        *,
        up: bool,
    ) -> None:
        line: asyncio.Queue[_Piece] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        delivery = asyncio.create_task(_deliver(line, writer))
        try:
            while data := await reader.read(65_536):
                if up:
                    self.n_up += len(data)
                else:
                    self.n_down += len(data)
                sent_s = max(loop.time(), stands_at_s)
                line.put_nowait((sent_s + self.round_trip_s / 2, data))
            raise ConnectionError
        finally:
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)


async def _deliver(line: asyncio.Queue[_Piece], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s, data = await line.get()
        if (wait_s := due_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def delaying(
    upstream: tuple[str, int], *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[DelayProxy, None]:
    """Open a proxy for the time of a block."""
    proxy = DelayProxy(upstream, tls=tls)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.aclose()
