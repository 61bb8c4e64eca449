"""The edge of a tunnel: it ends TLS before the tunnel, with a certificate that may be wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import trustme
from chaos.names import ADDRESS, NAME

MOST_BYTES = 65_536
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
JUNK_RECORD = b"\x17\x03\x03\x00\x20" + bytes(32)
"""A record of TLS that nobody can decrypt: OpenSSL answers it with a fatal alert."""
HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
"""A fatal alert in place of a handshake, as edges send it for a name that they do not know."""


class Edge:
    """Listens with TLS, and passes bytes on to a port of this machine."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.trusting = ssl.create_default_context()
        """What a client checks its certificate with."""
        authority.configure_trust(self.trusting)
        self.right = _context(authority.issue_cert(NAME))
        self.expired = _context(authority.issue_cert(NAME, not_after=LONG_AGO))
        self.of_another_name = _context(authority.issue_cert("another.example"))
        self.self_signed = _context(trustme.CA().issue_cert(NAME))
        self.certificate = self.right
        """What new connections are shown."""
        self.hangs = False
        """Whether no handshake is answered."""
        self.refuses = False
        """Whether each handshake is refused with an alert."""
        self._port = 0
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.Task[None], TlsLine | None] = {}

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"https://{NAME}:{self._server.sockets[0].getsockname()[1]}"

    @property
    def n_lines(self) -> int:
        """Number of connections."""
        return len(self._lines)

    async def start(self, port: int) -> None:
        """Listen; pass on to this port."""
        self._port = port
        self._server = await asyncio.start_server(self._accept, ADDRESS, 0)

    async def aclose(self) -> None:
        """Listen no more, and end all connections."""
        assert self._server is not None
        self._server.close()
        self.hang_up()
        if self._lines:
            await asyncio.wait(self._lines)
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Break all connections off."""
        for task in self._lines:
            task.cancel()

    async def alert(self) -> None:
        """End all connections with a fatal alert of TLS."""
        for line in [line for line in self._lines.values() if line is not None]:
            await line.fail()
        self.hang_up()

    def heal(self) -> None:
        """Pass on what comes, as at the beginning."""
        self.certificate, self.hangs, self.refuses = self.right, False, False
        self.hang_up()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines[task] = None
        task.add_done_callback(self._lines.pop)
        try:
            await self._serve(task, reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # a side went away, or the connection is broken off
        finally:
            writer.close()

    async def _serve(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses:
            await reader.read(MOST_BYTES)
            writer.write(HANDSHAKE_FAILURE)
            await writer.drain()
            return
        line = TlsLine(reader, writer, self.certificate)
        await line.shake_hands()
        self._lines[task] = line
        await _relay(line, *await asyncio.open_connection("localhost", self._port))


class TlsLine:
    """A connection with TLS whose records are in reach."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def shake_hands(self) -> None:
        """Agree on keys with the client."""
        await self._until_done(self._tls.do_handshake)

    async def read(self) -> bytes:
        """Return what the client sends next.

        Raises:
            EOFError: it sends nothing more.
        """
        return await self._until_done(partial(self._tls.read, MOST_BYTES)) or b""

    async def write(self, data: bytes) -> None:
        """Send to the client."""
        self._tls.write(data)
        await self._flush()

    async def fail(self) -> None:
        """Let the connection end with a fatal alert."""
        self._incoming.write(JUNK_RECORD)
        with suppress(OSError):  # the error of TLS that the alert reports, or the client left
            self._tls.read(MOST_BYTES)
        with suppress(OSError):
            await self._flush()

    async def _until_done(self, act: Callable[[], bytes | None]) -> bytes | None:
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                pass
            finally:
                await self._flush()
            data = await self._reader.read(MOST_BYTES)
            if not data:
                raise EOFError
            self._incoming.write(data)

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            self._writer.write(data)
            await self._writer.drain()


async def _relay(line: TlsLine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on in both directions until one of them ends."""

    async def up() -> None:
        while data := await line.read():
            writer.write(data)
            await writer.drain()

    async def down() -> None:
        while data := await reader.read(MOST_BYTES):
            await line.write(data)

    ways = {asyncio.create_task(up()), asyncio.create_task(down())}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        writer.close()


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
