"""ngrok's service, stood in for: what the package `ngrok` connects to, and its public edge.

The protocol is that of https://github.com/ngrok/ngrok-rust: muxado frames over TLS, on them one
JSON request and its response per stream, and a stream for each connection to the public address.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tls_certificate import server_certificate

RST, DATA, WINDOW = range(3)
FIN, SYN = 1, 2
AUTH, BIND, UNBIND, PROXY, _RESTART, STOP = range(6)
HEARTBEAT = 0xFFFFFFFF
_WINDOW_BYTES = 0x40000

REFUSALS = {
    107: "The authtoken you specified is invalid.\nYour authtoken: {token}",
    108: "Your account is limited to 3 simultaneous ngrok agent sessions.",
    121: 'Your ngrok-python version "1.0.0" is too old.',
    123: 'The account "Lan" may not start an ngrok agent session until the e-mail is verified.',
    334: "The endpoint 'https://lan.ngrok-free.dev' is already online.",
    9040: "We do not allow agents to connect to ngrok from your IP address (203.0.113.7).",
    15013: "Your account is requesting a dev domain that does not exist.",
}


class _Stream:
    """One stream of a session."""

    def __init__(self, session: _Session, number: int) -> None:
        self.session, self.number = session, number
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = _WINDOW_BYTES
        self._more_room = asyncio.Event()

    def widen(self, n_bytes: int) -> None:
        self._room += n_bytes
        self._more_room.set()

    async def send(self, data: bytes, flags: int = 0) -> None:
        while data and self._room <= 0:
            self._more_room.clear()
            await self._more_room.wait()
        piece, rest = data[: max(self._room, 0)], data[max(self._room, 0) :]
        self._room -= len(piece)
        self.session.frame(DATA, flags if not rest else flags & ~FIN, self.number, piece)
        if rest:
            await self.send(rest, flags & FIN)

    async def read(self) -> bytes:
        """Return the next piece; empty at the end."""
        piece = await self.incoming.get()
        if piece:
            self.session.frame(WINDOW, 0, self.number, struct.pack(">I", len(piece)))
        return piece


class _Session:
    """One connected agent."""

    def __init__(self, service: NgrokService, writer: asyncio.StreamWriter) -> None:
        self.service, self._writer = service, writer
        self.streams: dict[int, _Stream] = {}
        self.endpoints: dict[str, asyncio.Server] = {}
        self.visitors: list[asyncio.StreamWriter] = []
        self.urls: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._next = 2
        self.token = ""

    def frame(self, kind: int, flags: int, number: int, body: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(
                struct.pack(">II", len(body) << 8 | kind << 4 | flags, number) + body
            )

    async def run(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head, number = struct.unpack(">II", await reader.readexactly(8))
                self._take(head >> 4 & 15, head & 15, number, await reader.readexactly(head >> 8))

    def _take(self, kind: int, flags: int, number: int, body: bytes) -> None:
        if kind == DATA and number not in self.streams:
            self.streams[number] = _Stream(self, number)
            self._begin(self._serve(self.streams[number]))
        stream = self.streams.get(number)
        if stream is None:
            return
        if kind == DATA and body:
            stream.incoming.put_nowait(body)
        if kind == WINDOW:
            stream.widen(struct.unpack(">I", body)[0])
        if flags & FIN or kind == RST:
            stream.incoming.put_nowait(b"")

    async def _serve(self, stream: _Stream) -> None:
        data = b""
        while len(data) < 4:
            data += await stream.read()
        kind, data = struct.unpack(">I", data[:4])[0], data[4:]
        if kind == HEARTBEAT:
            while True:
                await stream.send(data) if data else None
                data = await stream.read()
            return
        while not self.service.silent:
            with suppress(ValueError):
                request = json.loads(data)
                break
            data += await stream.read()
        else:
            await asyncio.Event().wait()
        answer = await self._answer(kind, request)
        await stream.send(json.dumps(answer).encode(), FIN)

    async def _answer(self, kind: int, request: dict[str, object]) -> dict[str, object]:
        match kind:
            case 0:
                self.token = request["Extra"]["AuthToken"]  # type: ignore[index]  # JSON
                return self._refusal({107, 108, 121, 123, 9040}) or {
                    "Version": "3",
                    "ClientId": "client",
                    "Extra": {"Cookie": "cookie", "Region": "ap", "PlanName": "Free"},
                }
            case 1:
                return self._refusal({334, 15013}) or await self._bound(request)
        self.urls.clear()
        return {}

    def _refusal(self, codes: set[int]) -> dict[str, object]:
        code = self.service.refuses
        if code not in codes:
            return {}
        said = REFUSALS[code].format(token=self.token)
        return {"Error": f"{said}\n\n\r\n\r\nERR_NGROK_{code}\r\n"}

    async def _bound(self, request: dict[str, object]) -> dict[str, object]:
        number = str(request["Id"] or f"ep_{len(self.endpoints)}")
        opts: dict[str, object] = request["Opts"]  # type: ignore[assignment]  # JSON
        domain = opts.get("Domain") or opts.get("Hostname")
        server = await asyncio.start_server(
            lambda reader, writer: self._public(number, reader, writer), "127.0.0.1", 0
        )
        self.endpoints[number] = server
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.urls.add(url)
        self.service.n_bound += 1
        return {
            "Id": number,
            "URL": f"https://{domain}" if domain else url,
            "Proto": request["Proto"],
            "Opts": request["Opts"],
            "Extra": {"Token": ""},
        }

    async def _public(
        self, number: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry a connection to the public address over the session."""
        self.visitors.append(writer)
        stream = self.open_stream(PROXY)
        header = {
            "Id": number,
            "ClientAddr": "203.0.113.9:4711",
            "Proto": "http",
            "EdgeType": "3",
            "PassthroughTLS": False,
        }
        raw = json.dumps(header).encode()
        await stream.send(struct.pack("<q", len(raw)) + raw)

        async def back() -> None:
            while piece := await stream.read():
                writer.write(piece)
            writer.close()

        self._begin(back())
        with suppress(OSError):
            while piece := await reader.read(65_536):
                await stream.send(piece)
        await stream.send(b"", FIN)

    def open_stream(self, kind: int) -> _Stream:
        stream = self.streams[self._next] = _Stream(self, self._next)
        self._next += 2
        stream._room -= 4
        self.frame(DATA, SYN, stream.number, struct.pack(">I", kind))
        return stream

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.service.note)

    def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        for server in self.endpoints.values():
            server.close()
        for writer in (*self.visitors, self._writer):
            writer.close()


@dataclass
class NgrokService:
    """The service; what it does wrong is set from outside."""

    address: str = ""
    certificate: bytes = b""
    refuses: int = 0
    silent: bool = False
    n_bound: int = 0
    sessions: list[_Session] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    errors: list[BaseException] = field(default_factory=list)

    @property
    def urls(self) -> set[str]:
        """Public addresses that are online."""
        return {url for session in self.sessions for url in session.urls}

    @property
    def server(self) -> tuple[str, bytes]:
        """What `NgrokTunnel` takes."""
        return self.address, self.certificate

    def note(self, task: asyncio.Task[None]) -> None:
        """Keep an error of a stream for the test."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self, writer)
        self.sessions.append(session)
        try:
            await session.run(reader)
        finally:
            self.sessions.remove(session)
            session.end()
            self.ended.set()

    def cut(self) -> None:
        """Cut all connections."""
        for session in list(self.sessions):
            session.end()

    async def stop_from_dashboard(self) -> None:
        """Ask the agent to stop."""
        await self.sessions[0].open_stream(STOP).send(b"{}", FIN)


@asynccontextmanager
async def ngrok_service(folder: Path) -> AsyncIterator[NgrokService]:
    certificate, context = server_certificate(folder)
    service = NgrokService(certificate=certificate)
    server = await asyncio.start_server(service.connected, "127.0.0.1", 0, ssl=context)
    service.address = f"localhost:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        service.cut()
        async with asyncio.timeout(10):
            while service.sessions:  # noqa: ASYNC110 - tasks of the server
                await asyncio.sleep(0.01)
