"""What faults do to a system: one function each. `System.heal` undoes all of it."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from chaos.engine import Script
from chaos.system import System, send_signal
from fault_line import Moment

from vieneu_core.errors import VieneuError
from vieneu_core.router import Mode
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.tone import CHUNK_S

READING = tuple(f"Đây là câu {number} của một bài đọc rất dài." for number in range(20))
N_SILENT = 1_100


async def nothing(_: System, __: Moment, ___: random.Random) -> None:
    """Let all be well."""


# --- other speech -------------------------------------------------------------------------------


async def long_reading(system: System, _: Moment, rng: random.Random) -> None:
    """Let a long text be read meanwhile, on an engine at twice the speed of speech."""
    system.direct(system.router.mode.value, Script(chunk_delay_s=CHUNK_S / 2))
    _read(system, READING)
    await asyncio.sleep(rng.uniform(0.3, 1.5))


async def six_at_once(system: System, _: Moment, __: random.Random) -> None:
    """Let five others speak, on an engine at 0.9 times the speed of speech."""
    system.direct(system.router.mode.value, Script(chunk_delay_s=CHUNK_S / 0.9))
    for at in range(5):
        _read(system, READING[3 * at : 3 * at + 3])


def _read(system: System, text: tuple[str, ...]) -> None:
    async def read() -> None:
        with suppress(VieneuError):
            async for _ in system.router.stream(SynthesisRequest(text=text)):
                pass

    system.in_background(asyncio.create_task(read()))


# --- the server ---------------------------------------------------------------------------------


async def kill_server(system: System, _: Moment, __: random.Random) -> None:
    """End the server's process."""
    send_signal(system.server.pid, signal.SIGKILL)


async def restart_server(system: System, _: Moment, __: random.Random) -> None:
    """End the server's process, and let the next one take over."""
    send_signal(system.server.pid, signal.SIGKILL)
    await system.replace_server()


async def kill_both(system: System, _: Moment, __: random.Random) -> None:
    """Leave only the last resort."""
    send_signal(system.server.pid, signal.SIGKILL)
    system.signal_worker("local", signal.SIGKILL)


async def stop_server(system: System, _: Moment, __: random.Random) -> None:
    """Let the server hang."""
    send_signal(system.server.pid, signal.SIGSTOP)


async def rotate_token(system: System, _: Moment, __: random.Random) -> None:
    """Let the client ask for a new token, and use it."""
    token = await system.remote.rotate_token()
    system.server.token = token.get_secret_value()


async def silent_connections(system: System, _: Moment, __: random.Random) -> None:
    """Open more connections to the server than a process may have by default, and say nothing."""
    host, port = system.server.url.removeprefix("http://").rsplit(":", 1)
    writers: list[asyncio.StreamWriter] = []

    async def hold() -> None:
        try:
            for _ in range(N_SILENT):
                _, writer = await asyncio.open_connection(host, int(port))
                writers.append(writer)
            await asyncio.Event().wait()
        finally:
            for writer in writers:
                writer.close()

    system.in_background(asyncio.create_task(hold()))
    with suppress(TimeoutError):
        async with asyncio.timeout(5.0):
            while len(writers) < N_SILENT:  # noqa: ASYNC110 - a full server accepts no more
                await asyncio.sleep(0.01)


# --- the tunnel ---------------------------------------------------------------------------------


async def silence_tunnel(system: System, _: Moment, __: random.Random) -> None:
    """Let every connection stand open and carry nothing."""
    system.tunnel.go_silent()


async def close_tunnel(system: System, _: Moment, __: random.Random) -> None:
    """Let every connection be refused."""
    system.tunnel.refuse()


async def slow_line(system: System, _: Moment, __: random.Random) -> None:
    """Make the line slow, yet fast enough for Opus."""
    system.tunnel.bytes_per_s, system.tunnel.latency_s = 8_000, 0.3


async def very_slow_line(system: System, _: Moment, __: random.Random) -> None:
    """Make the line slower than Opus is played."""
    system.tunnel.bytes_per_s, system.tunnel.latency_s = 2_000, 0.3


# --- engines ------------------------------------------------------------------------------------


def to_worker(
    number: signal.Signals,
) -> Callable[[System, Moment, random.Random], Awaitable[None]]:
    """Return what sends a signal to the worker of the admin's choice."""

    async def strike(system: System, _: Moment, __: random.Random) -> None:
        system.signal_worker(system.router.mode.value, number)

    return strike


async def kill_worker_again_and_again(system: System, _: Moment, __: random.Random) -> None:
    """End the worker whenever it has been started again."""

    async def kill() -> None:
        while True:
            system.signal_worker(system.router.mode.value, signal.SIGKILL)
            await asyncio.sleep(0.3)

    system.in_background(asyncio.create_task(kill()))


def slow_engine(speed: float) -> Callable[[System, Moment, random.Random], Awaitable[None]]:
    """Return what makes the engine so fast, in times of the speed of playing its speech."""

    async def strike(system: System, _: Moment, __: random.Random) -> None:
        system.direct(system.router.mode.value, Script(chunk_delay_s=CHUNK_S / speed))

    return strike


# --- the admin ----------------------------------------------------------------------------------


async def flip_mode(system: System, _: Moment, rng: random.Random) -> None:
    """Let the admin change the mode seven times."""
    for __ in range(7):
        other = Mode.LOCAL if system.router.mode is Mode.REMOTE else Mode.REMOTE
        system.router.set_mode(other, require_ready=False)
        await asyncio.sleep(rng.uniform(0.0, 0.1))


async def replace_backend(system: System, _: Moment, __: random.Random) -> None:
    """Let the admin set up the chosen backend anew."""
    if system.router.mode is Mode.REMOTE:
        await system.router.set_remote(system.remote_backend())
    else:
        system.local = system.local_backend()
        await system.router.set_local(system.local)


async def unload_backend(system: System, _: Moment, __: random.Random) -> None:
    """Let the admin unload the chosen backend."""
    await system.router.unload_backend(system.router.mode.value)
