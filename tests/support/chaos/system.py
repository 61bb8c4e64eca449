"""The whole as it runs at home: a server's process behind a tunnel, a router, and its workers.

The server and the engines are processes of their own; the tunnel and the router are in this one. A
plain client asks the server itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from chaos import clock_server
from chaos.edge import Edge
from chaos.engine import Script, write_script
from chaos.names import Names
from chaos.tunnel import Tunnel
from guard import GUARD_S
from plain_client import plain_speech
from server_process import ServerHandle, running_server
from set_clock import SetClock

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import BackendError
from vieneu_core.router import Mode, Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

ENGINE = "chaos.engine:create"
CHUNK_DELAY_S = 0.02
"""Time for 0.1 s of speech: five times the speed of playing it."""
UNLIMITED = {
    "VIENEU_SERVER_REQUESTS_PER_MINUTE": "1000000",
    "VIENEU_SERVER_HEALTH_CHECKS_PER_MINUTE": "1000000",
    "VIENEU_SERVER_REPLAY_KEEP_S": "1",  # what is kept for a retry is not a leak
    "VIENEU_SERVER_SESSION_LIMIT_S": "43200",  # as on Colab
}
BACKENDS = ("remote", "local")
N_USUAL = 3
"""Sentences from which on it is known what is usual for an engine."""


class System:
    """Everything that an announcement depends on, and what breaks it."""

    def __init__(self, folder: Path, *, chunk_delay_s: float) -> None:
        self._folder = folder
        self._chunk_delay_s = chunk_delay_s
        self._token_number = 0
        self._servers = AsyncExitStack()
        self._spare: ServerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._local_hit = False
        self._by_name = False
        self.tunnel = Tunnel()
        self.edge, self.names = Edge(), Names()
        self.clock = SetClock()
        """The clock of the machine that the router is on."""
        self._session: aiohttp.ClientSession
        self.server: ServerHandle
        self.local: LocalBackend
        self.remote: RemoteBackend
        self.router: Router

    # --- begin and end ----------------------------------------------------------------------

    async def open(self) -> None:
        """Start everything."""
        await self.tunnel.start()
        await self.edge.start(self.tunnel.port)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self.names, ssl=self.edge.trusting),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        self.server = await self._start_server()
        self.tunnel.lead_to(self.server.url)
        self.local, self.remote = self.local_backend(), self.remote_backend()
        self.router = Router(
            local=self.local,
            remote=self.remote,
            last_resort=LocalBackend(self._engine("last_resort"), name="last_resort"),
            mode=Mode.REMOTE,
            clock=self.clock,
        )
        await self.router.load()

    async def aclose(self) -> None:
        """End everything, also what hangs."""
        await self._end_tasks()
        self._resume_all()
        await self.router.aclose()
        await self._servers.aclose()
        await self._session.close()
        await self.edge.aclose()
        await self.tunnel.heal()
        await self.tunnel.aclose()

    async def heal(self, mode: Mode, *, by_name: bool = False, new_server: bool = False) -> None:
        """Undo every fault. A backend that was hit is a new one, of whose failures nobody knows.

        Args:
            mode: The admin's choice.
            by_name: Whether the router finds the server by its name, and speaks to it over TLS.
            new_server: Whether the server is a new one, too: each death of a worker delays the next
                start.
        """
        self._by_name = by_name
        self.clock.offset = timedelta()
        self._server_clock.unlink(missing_ok=True)
        self.edge.heal()
        self.names.heal()
        await self._end_tasks()
        self._resume_all()
        for name in (*BACKENDS, "last_resort"):
            self.script_of(name).unlink(missing_ok=True)
        if self.server.token != self._token or new_server:
            send_signal(self.server.pid, signal.SIGKILL)
            await self.server.stopped()
        if self.server.process.returncode is not None:
            await self.replace_server()
        await self.tunnel.heal()
        self.tunnel.lead_to(self.server.url)
        self.router.set_mode(mode, require_ready=False)
        self.remote = self.remote_backend()
        await self.router.set_remote(self.remote)
        if self._local_hit:
            self.local = self.local_backend()
            await self.router.set_local(self.local)
        self._local_hit = mode is Mode.LOCAL
        async with asyncio.timeout(GUARD_S):
            while self.router.active != mode.value:
                # A busy machine may be too late for a limit of the backend.
                with suppress(BackendError):
                    await self.router.load_backend(mode.value)
                await asyncio.sleep(0.1)

    async def plain_speech(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a text as a plain HTTP client of the server hears it."""
        assert isinstance(request.text, str)
        async with aclosing(
            plain_speech(self.server.url, self.server.token, request.text)
        ) as heard:
            async for chunk in heard:
                yield chunk

    async def acquaint(self) -> None:
        """Let the server's engine speak, so that its usual silences are known."""
        for number in range(N_USUAL):
            async for _ in self.plain_speech(SynthesisRequest(text=f"Đây là câu {number}.")):
                pass

    # --- parts ------------------------------------------------------------------------------

    def local_backend(self) -> LocalBackend:
        """Return a new backend for the local engine."""
        return LocalBackend(self._engine("local"), clock=self.clock)

    def remote_backend(self) -> RemoteBackend:
        """Return a new backend for the server behind the tunnel."""
        url, session = (self.edge.url, self._session) if self._by_name else (self.tunnel.url, None)
        return RemoteBackend(url, self.server.token, session=session, clock=self.clock)

    def lose_connections(self) -> None:
        """Break the connections off that were made by name, and forget where the name leads."""
        connector = self._session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        connector.clear_dns_cache()
        self.edge.hang_up()

    def set_server_clock(self, offset: timedelta) -> None:
        """Set the calendar time of the servers' machine wrong by this."""
        clock_server.set_offset(self._server_clock, offset)

    def script_of(self, backend: str) -> Path:
        """Return the path of an engine's script."""
        return self._folder / f"{backend}.json"

    def direct(self, backend: str, script: Script) -> None:
        """Let an engine follow a script."""
        write_script(self.script_of(backend), script)

    def worker_pid(self, backend: str) -> int | None:
        """Return the id of an engine's process; None if there is none now."""
        if backend == "local":
            return self.local.worker_pid
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.server.pid).children()
            return children[0].pid if children else None
        return None

    def signal_worker(self, backend: str, number: signal.Signals) -> None:
        """Send a signal to the process of an engine, if there is one."""
        self._local_hit |= backend == "local"
        pid = self.worker_pid(backend)
        if pid is not None:
            send_signal(pid, number)

    def in_background(self, work: asyncio.Task[Any]) -> None:
        """Own a task until `heal`."""
        self._tasks.add(work)

    # --- servers ----------------------------------------------------------------------------

    async def replace_server(self) -> None:
        """Let the spare server take over behind the tunnel."""
        await self.prepare_server()
        assert self._spare is not None
        self.server, self._spare = self._spare, None
        self.tunnel.lead_to(self.server.url)

    async def prepare_server(self, *, new_token: bool = False) -> None:
        """Start the server that will take over, so that nobody waits for its start."""
        if new_token:
            self._token_number += 1
        if self._spare is None or self._spare.token != self._token:
            self._spare = await self._start_server()

    @property
    def _token(self) -> str:
        return f"token-of-a-chaos-run-{self._token_number:012}"

    async def _start_server(self) -> ServerHandle:
        engine = self._engine("remote")
        running = running_server(
            engine.target,
            options=engine.options,
            token=self._token,
            environ=UNLIMITED | {clock_server.OFFSET_FILE: str(self._server_clock)},
            module=clock_server.MODULE,
        )
        return await self._servers.enter_async_context(running)

    @property
    def _server_clock(self) -> Path:
        return self._folder / "server_clock"

    # --- inside -----------------------------------------------------------------------------

    def _engine(self, backend: str) -> EngineSpec:
        options = {
            "voice": backend,
            "script": str(self.script_of(backend)),
            "chunk_delay_s": self._chunk_delay_s,
        }
        return EngineSpec(ENGINE, options)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _resume_all(self) -> None:
        """Let every process go on that was stopped."""
        for process in psutil.Process().children(recursive=True):
            send_signal(process.pid, signal.SIGCONT)


def send_signal(pid: int, number: signal.Signals) -> None:
    """Send a signal; without effect on a process that has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@asynccontextmanager
async def open_system(
    folder: Path, *, chunk_delay_s: float = CHUNK_DELAY_S
) -> AsyncIterator[System]:
    """Run a system; ``folder`` keeps the scripts of its engines."""
    system = System(folder, chunk_delay_s=chunk_delay_s)
    try:
        await system.open()
        yield system
    finally:
        await system.aclose()
