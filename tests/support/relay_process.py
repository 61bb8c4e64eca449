"""A relay in a process of its own that can be killed, and started again at the same address."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from guard import GUARD_S
from server_site import TOKEN

SUPPORT = Path(__file__).parent


class RelayProcess:
    """A relay with a folder of its own."""

    def __init__(self, folder: Path, settings: str, *options: str) -> None:
        (folder / "config.yaml").write_text(settings, "utf-8")
        self._folder = folder
        self._options = options
        self._log_file = folder / "relay.log"
        self._process: asyncio.subprocess.Process | None = None
        self.url = "http://127.0.0.1:0"

    async def start(self) -> None:
        """Start it, at the former address where there is one; return once it listens."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith("VIENEU_")}
        path = os.pathsep.join(filter(None, [str(SUPPORT), environ.get("PYTHONPATH")]))
        with self._log_file.open("wb") as log:
            self._process = await self._spawn(environ | {"PYTHONPATH": path}, log)
        assert self._process.stdout is not None
        async with asyncio.timeout(GUARD_S):
            async for line in self._process.stdout:
                if line.startswith(b"Listening on "):
                    self.url = line.decode().removeprefix("Listening on ").strip()
                    return
        raise RuntimeError("The relay ended.")

    async def _spawn(self, environ: dict[str, str], log: BinaryIO) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vieneu_colab_server.relay"),
            f"--port={self.url.rpartition(':')[2]}",
            f"--state={self._folder / 'state'}",
            f"--config={self._folder / 'config.yaml'}",
            *self._options,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**environ, "HOME": str(self._folder), "VIENEU_SERVER_TOKEN": TOKEN},
        )

    @property
    def log(self) -> str:
        """What it has logged since it was started."""
        return self._log_file.read_text("utf-8")

    def terminate(self) -> None:
        """Ask it to stop."""
        assert self._process is not None
        self._process.terminate()

    async def ended(self) -> int:
        """Wait until it has stopped, and return its exit code."""
        assert self._process is not None
        async with asyncio.timeout(GUARD_S):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    async def kill(self) -> None:
        """Kill it at once; without effect on one that has ended."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGKILL)
        await self._process.communicate()


@asynccontextmanager
async def relay_process(folder: Path, settings: str, *options: str) -> AsyncIterator[RelayProcess]:
    """Start a relay; kill it at the end."""
    relay = RelayProcess(folder, settings, *options)
    try:
        await relay.start()
        yield relay
    finally:
        await relay.kill()
