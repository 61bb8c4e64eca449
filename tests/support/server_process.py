"""A real ``vieneu-server`` in a process of its own, for any test that needs one."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from guard import GUARD_S

SUPPORT = Path(__file__).parent
TOKEN = "token-for-tests-0123456789abcdef"


@dataclass
class ServerHandle:
    """A server that runs."""

    url: str
    token: str = field(repr=False)
    process: asyncio.subprocess.Process
    output: list[str] = field(default_factory=list)
    """Lines of standard output so far."""
    errors: list[str] = field(default_factory=list)
    """Lines of standard error so far: the log."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stopped(self) -> int:
        """Wait for the end; return the exit code."""
        async with asyncio.timeout(GUARD_S):
            return await self.process.wait()


@asynccontextmanager
async def running_server(
    engine: str = "tone_engine:create",
    *arguments: str,
    options: Mapping[str, object] | None = None,
    token: str = TOKEN,
    environ: Mapping[str, str] | None = None,
    wait_until: str = "/readyz",
    port: int = 0,
    module: str = "vieneu_colab_server",
) -> AsyncIterator[ServerHandle]:
    """Start ``vieneu-server``, wait until ``wait_until`` answers 200; end it at the end.

    ``options`` go to the engine, ``arguments`` to the command as they are. An empty ``token`` lets
    the server make its own, which the handle then holds.
    """
    given = [f"--engine-option={key}={value}" for key, value in (options or {}).items()]
    command = (module, f"--engine={engine}", f"--port={port}", *given, *arguments)
    async with _running(command, token, environ or {}, wait_until) as handle:
        yield handle


@asynccontextmanager
async def running_relay(
    folder: Path,
    *arguments: str,
    token: str = TOKEN,
    environ: Mapping[str, str] | None = None,
    wait_until: str = "/readyz",
) -> AsyncIterator[ServerHandle]:
    """Start ``vieneu-relay`` with ``config.yaml`` and all that it keeps in a folder."""
    command = (
        *("vieneu_colab_server.relay", f"--config={folder / 'config.yaml'}"),
        *(f"--state={folder}", "--port=0", *arguments),
    )
    async with _running(command, token, environ or {}, wait_until) as handle:
        yield handle


@asynccontextmanager
async def running_ray_app(
    *arguments: str, token: str = TOKEN, environ: Mapping[str, str] | None = None, port: int
) -> AsyncIterator[ServerHandle]:
    """Start the server on a Ray of this machine alone; wait until a replica speaks."""
    command = ("vieneu_colab_server.ray_app", "engine=tone_engine:create", *arguments)
    given = {"VIENEU_SERVER_PORT": str(port), **(environ or {})}
    async with _running(command, token, given, "/readyz") as handle:
        yield handle


@asynccontextmanager
async def _running(
    command: Sequence[str], token: str, environ: Mapping[str, str], wait_until: str
) -> AsyncIterator[ServerHandle]:
    python_path = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")]))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": python_path,
            "VIENEU_SERVER_TOKEN": token,
            **environ,
        },
    )
    handle = ServerHandle("", token, process)
    readers = [
        asyncio.create_task(_collect(process.stdout, handle.output)),
        asyncio.create_task(_collect(process.stderr, handle.errors)),
    ]
    try:
        await _until_up(handle, wait_until)
        yield handle
    finally:
        await _end(process)
        await asyncio.gather(*readers)


async def _collect(stream: asyncio.StreamReader | None, lines: list[str]) -> None:
    assert stream is not None
    while line := await stream.readline():
        lines.append(line.decode(errors="replace").rstrip("\n"))


async def _until_up(handle: ServerHandle, path: str) -> None:
    async with asyncio.timeout(GUARD_S), aiohttp.ClientSession() as session:
        while not (handle.url and await answers(session, handle.url + path, handle.headers)):
            if handle.process.returncode is not None:
                raise RuntimeError("The server ended: " + "\n".join(handle.errors))
            for line in handle.output:
                if line.startswith("Listening on "):
                    handle.url = line.removeprefix("Listening on ")
                if line.startswith("Token (shown this once): "):
                    handle.token = line.partition(": ")[2]
            await asyncio.sleep(0.02)


async def answers(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> bool:
    """Whether a server answers 200."""
    try:
        async with session.get(url, headers=headers) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(GUARD_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
