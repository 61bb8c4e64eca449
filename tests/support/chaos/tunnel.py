"""The tunnel between the router and the server: a fault proxy with the states that tunnels have.

Its address stays the same while servers come and go behind it, as with a reserved domain.
"""

from __future__ import annotations

import asyncio

from fault_line import Line
from fault_proxy import FaultProxy, Seen
from line_faults import edge_reply


class Tunnel(FaultProxy):
    """Passes on to a server; slow, or with the pages of a tunnel's edge in the server's stead."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0))
        self.latency_s = 0.0
        """Time that is added to each round trip."""
        self.bytes_per_s = 0.0
        """Limit of each answer's rate; 0 is none."""
        self.unanswered = ""
        """Path of the requests that are never answered, as by a server whose loop is blocked."""
        self._page = b""
        self._silent = False
        self._port = 0

    def lead_to(self, server_url: str) -> None:
        """Pass requests on to this server from now on."""
        host, port = server_url.removeprefix("http://").rsplit(":", 1)
        self._upstream = (host, int(port))

    def answer_all(self, page: bytes) -> None:
        """Break all answers off, and give this one to every request from now on."""
        self._page = page
        self.hang_up()

    def go_silent(self) -> None:
        """Send nothing more on any connection, and keep all of them open."""
        self._silent = True

    def go_on(self) -> None:
        """Send again, also on the connections that are open."""
        self._silent = False

    @property
    def port(self) -> int:
        """Where it listens, or will listen again."""
        return self._port if self._server is None else super().port

    def refuse(self) -> None:
        """Break all connections off, and listen no more."""
        assert self._server is not None
        self._port = self.port
        self._server.close()
        self._server = None
        self.hang_up()

    def hang_up(self) -> None:
        """Break all connections off."""
        for task in self._tasks:
            task.cancel()

    async def heal(self) -> None:
        """Pass on what comes, as at the beginning."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "localhost", self._port)
        self.latency_s = self.bytes_per_s = 0.0
        self._page, self._silent, self.unanswered = b"", False, ""
        self.faults.clear()
        self.hang_up()

    async def _serve(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        if self._page:
            await Line(writer, self._closing).send(self._page)
            writer.close()
            return
        if seen.path == self.unanswered:
            await self._closing.wait()
        await self.hold()
        await asyncio.sleep(self.latency_s)
        try:
            await super()._serve(seen, _Metered(writer, self))  # type: ignore[arg-type]
        except ConnectionRefusedError:
            await Line(writer, self._closing).send(edge_reply("ngrok_8012_upstream"))
            writer.close()
        except AssertionError:  # an answer without the moment of the fault, such as an error
            writer.close()

    async def hold(self) -> None:
        """Wait while the tunnel is silent."""
        while self._silent:  # noqa: ASYNC110 - the tunnel is healed from outside
            await asyncio.sleep(0.02)


class _Metered:
    """A writer that is as slow as the tunnel, and as silent."""

    def __init__(self, writer: asyncio.StreamWriter, tunnel: Tunnel) -> None:
        self._writer = writer
        self._tunnel = tunnel
        self._n_waiting = 0
        self._free_at_s = 0.0

    def write(self, data: bytes) -> None:
        self._n_waiting += len(data)
        self._writer.write(data)

    async def drain(self) -> None:
        n_bytes, self._n_waiting = self._n_waiting, 0
        await self._writer.drain()
        if self._tunnel.bytes_per_s:
            now_s = asyncio.get_running_loop().time()
            seconds = n_bytes / self._tunnel.bytes_per_s
            self._free_at_s = max(now_s, self._free_at_s) + seconds
            await asyncio.sleep(self._free_at_s - now_s)
        await self._tunnel.hold()

    def __getattr__(self, name: str) -> object:
        return getattr(self._writer, name)
