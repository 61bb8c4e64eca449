"""Real servers that are forked from a process which has imported all they need.

Each is a process of its own that runs ``vieneu-server`` from its first line on, with its own socket
and its own worker. Only the imports are done once, which are two thirds of a start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import aiohttp
from guard import GUARD_S
from server_process import SUPPORT, TOKEN, answers

COMMAND = ("vieneu-server", "--engine=tone_engine:create", "--port=0")


@dataclass(frozen=True)
class ForkedServer:
    """A server that runs until it is killed."""

    url: str
    pid: int
    token: str = field(default=TOKEN, repr=False)


@dataclass(frozen=True)
class ServerSource:
    """The process that forks servers, and passes on what they print."""

    process: asyncio.subprocess.Process
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> ForkedServer:
        """Return a fresh server, once it is ready."""
        async with self.turn:
            self._write("start")
            pid, url = int(await self._said("Forked ")), await self._said("Listening on ")
        server = ForkedServer(url, pid)
        async with asyncio.timeout(GUARD_S), aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            while not await answers(session, f"{url}/readyz", headers):  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.02)
        return server

    async def end(self, server: ForkedServer) -> None:
        """Kill a server; one that is dead already is only buried."""
        async with self.turn:
            self._write(f"end {server.pid}")
            await self._said(f"Ended {server.pid}")

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def _said(self, begin: str) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(GUARD_S):
            while line := (await self.process.stdout.readline()).decode():
                if line.startswith(begin):
                    return line.removeprefix(begin).strip()
        raise RuntimeError(f"The source of servers ended before it said: {begin}")


@asynccontextmanager
async def server_source() -> AsyncIterator[ServerSource]:
    """Run the process that forks servers; all of them were ended when it ends."""
    path = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")]))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "VIENEU_SERVER_TOKEN": TOKEN},
    )
    try:
        yield ServerSource(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(GUARD_S):
            await process.wait()


def _serve() -> NoReturn:
    """Be a server, in a process that was forked."""
    from vieneu_colab_server.__main__ import main

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the orders are not for it
    sys.stdin = os.fdopen(0, closefd=False)
    print(f"Forked {os.getpid()}", flush=True)  # noqa: T201 - the answer
    sys.argv = [*COMMAND]
    main()
    raise SystemExit


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)  # a dead one keeps its number until it is waited for
    os.waitpid(pid, 0)


def _obey() -> None:
    """Fork and end servers, as the lines on standard input say; at its end, end all."""
    import vieneu_colab_server.cli  # noqa: F401 - for the servers

    running = set[int]()
    for line in sys.stdin:
        order, _, pid = line.strip().partition(" ")
        if order == "start":
            running.add(os.fork() or _serve())
        else:
            running.remove(int(pid))
            _end(int(pid))
            print(f"Ended {pid}", flush=True)  # noqa: T201 - the answer
    for left in running:
        _end(left)


if __name__ == "__main__":
    _obey()
