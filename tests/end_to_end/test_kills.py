"""kill -9 at any moment, a hundred times each: of the server, and of the worker."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Self

import pytest
from forked_servers import ForkedServer, server_source
from system_rig import SystemRig, nothing_lost, open_rig, sentences

from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.router import Mode
from vieneu_core.synthesis import SynthesisRequest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

NEWS = sentences(4)
TEXT = " ".join(NEWS)
N_SEEDS = int(os.environ.get("VIENEU_TEST_KILLS", "100"))
HALVES = pytest.mark.parametrize(
    "seeds", [range(0, N_SEEDS, 2), range(1, N_SEEDS, 2)], ids=["even", "odd"]
)
"""Two tests for two processors."""


class Relay:
    """Passes bytes on, and kills the server once it has sent a given number of them."""

    def __init__(self, server: ForkedServer) -> None:
        self._server = server
        self._upstream = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.bytes_left: float = float("inf")
        self.n_bytes = 0

    @property
    def token(self) -> str:
        return self._server.token

    @property
    def url(self) -> str:
        assert self._listener is not None
        return f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(ConnectionError):
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
            ways = [
                asyncio.create_task(self._up(reader, up_writer)),
                asyncio.create_task(self._down(up_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                up_writer.close()
        writer.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            self.n_bytes += len(data)
            if len(data) >= self.bytes_left:
                writer.write(data[: int(self.bytes_left)])
                await writer.drain()
                os.kill(self._server.pid, signal.SIGKILL)
                return
            self.bytes_left -= len(data)
            writer.write(data)
            await writer.drain()


async def bytes_of_one_request(rig: SystemRig, relay: Relay) -> int:
    before = relay.n_bytes
    nothing_lost(await rig.speak(TEXT), NEWS)
    return relay.n_bytes - before


async def servers() -> AsyncGenerator[ForkedServer, None]:
    """Yield fresh servers for ever; the next one starts while the present one is in use."""
    async with server_source() as source:
        ahead = asyncio.create_task(source.start())
        try:
            while True:
                server = await ahead
                ahead = asyncio.create_task(source.start())
                yield server
                await source.end(server)
        finally:
            await ahead


@HALVES
@pytest.mark.usefixtures("no_leaks")
async def test_a_server_killed_at_any_byte_costs_no_sentence(seeds: range) -> None:
    n_bytes = 0
    async with open_rig(mode=Mode.LOCAL) as rig, aclosing(servers()) as fresh:
        for seed in seeds:
            async with Relay(await anext(fresh)) as relay:
                await rig.router.set_remote(RemoteBackend(relay.url, relay.token))
                rig.router.set_mode(Mode.REMOTE)
                n_bytes = n_bytes or await bytes_of_one_request(rig, relay)
                relay.bytes_left = random.Random(seed).randrange(1, n_bytes)
                nothing_lost(await rig.speak(TEXT), NEWS)
                await rig.router.set_remote(None)


@pytest.mark.usefixtures("no_leaks")
async def test_a_worker_killed_at_any_moment_costs_no_sentence() -> None:
    async with open_rig(mode=Mode.LOCAL) as rig:
        for seed in range(N_SEEDS):
            rng = random.Random(seed)
            kill_at, wait_s = rng.randrange(40), rng.random() * 0.02
            heard = []
            stream = rig.router.stream(SynthesisRequest(text=TEXT))
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    heard.append(chunk)
                    if len(heard) == kill_at + 1:
                        await asyncio.sleep(wait_s)
                        if rig.local.worker_pid is not None:
                            os.kill(rig.local.worker_pid, signal.SIGKILL)
            nothing_lost(heard, NEWS)
            await rig.router.load_backend("local")
