"""The app of Home Assistant as a process, started as its container starts it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from free_port import free_port
from guard import GUARD_S

SUPPORT = Path(__file__).parent


class AppProcess:
    """An app with a folder ``/data`` of its own."""

    def __init__(self, data: Path, **environ: str) -> None:
        self.data = data
        self.port, self.ingress_port = free_port(), free_port()
        self.log_file = data / "log"
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """URL on this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has written."""
        return self.log_file.read_text("utf-8")

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    async def start(self, options: dict[str, object] | None = None) -> None:
        """Write its options, as Supervisor does, and start it."""
        if options is not None:
            (self.data / "options.json").write_text(json.dumps(options), "utf-8")
        own = {k: v for k, v in os.environ.items() if not k.startswith(("VIENEU_", "SUPERVISOR"))}
        path = os.pathsep.join(filter(None, [str(SUPPORT), own.get("PYTHONPATH")]))
        addresses = {
            "HOME": str(self.data),
            "PYTHONPATH": path,
            "VIENEU_APP_DATA": str(self.data),
            "VIENEU_APP_INGRESS_PORT": str(self.ingress_port),
            "VIENEU_SERVER_PORT": str(self.port),
            **{f"XDG_{name}_HOME": str(self.data / name) for name in ("CACHE", "DATA", "STATE")},
        }
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "vieneu_colab_server.relay.home_assistant"),
                stdout=log,
                stderr=log,
                env={**own, **addresses, **self._environ},
            )

    async def ended(self) -> int:
        """Wait until it has ended; return its exit code."""
        assert self._process is not None
        async with asyncio.timeout(GUARD_S):
            return await self._process.wait()

    async def stop(self) -> int:
        """Stop it as Supervisor does; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """Kill it; without effect on one that has ended."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def app_process(data: Path, **environ: str) -> AsyncIterator[AppProcess]:
    """Return an app that is not started yet; kill it at the end."""
    app = AppProcess(data, **environ)
    try:
        yield app
    finally:
        await app.kill()
