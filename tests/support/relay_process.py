"""A relay in a process of its own that can be killed, and started again at the same address."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from guard import GUARD_S
from server_site import TOKEN

SUPPORT = Path(__file__).parent


class RelayProcess:
    """A relay with a folder of its own."""

    def __init__(self, folder: Path, settings: str) -> None:
        (folder / "config.yaml").write_text(settings, "utf-8")
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.url = "http://127.0.0.1:0"

    async def start(self) -> None:
        """Start it, at the former address where there is one; return once it listens."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith("VIENEU_")}
        path = os.pathsep.join(filter(None, [str(SUPPORT), environ.get("PYTHONPATH")]))
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vieneu_colab_server.relay"),
            f"--port={self.url.rpartition(':')[2]}",
            f"--state={self._folder / 'state'}",
            f"--config={self._folder / 'config.yaml'}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={
                **environ,
                "PYTHONPATH": path,
                "HOME": str(self._folder),
                "VIENEU_SERVER_TOKEN": TOKEN,
            },
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(GUARD_S):
            async for line in self._process.stdout:
                if line.startswith(b"Listening on "):
                    self.url = line.decode().removeprefix("Listening on ").strip()
                    return
        raise RuntimeError("The relay ended.")

    async def kill(self) -> None:
        """Kill it at once; without effect on one that has ended."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGKILL)
        await self._process.communicate()


@asynccontextmanager
async def relay_process(folder: Path, settings: str) -> AsyncIterator[RelayProcess]:
    """Start a relay; kill it at the end."""
    relay = RelayProcess(folder, settings)
    try:
        await relay.start()
        yield relay
    finally:
        await relay.kill()
