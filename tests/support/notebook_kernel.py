"""A notebook on a real kernel, run as a person runs it: cell by cell, on a runtime of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from guard import GUARD_S
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

FAKES = Path(__file__).parent / "fakes"
MakeNotebook = Callable[..., dict[str, Any]]
"""Makes a notebook of the options of `vieneu notebook`."""


@dataclass
class Running:
    """A notebook whose cells run."""

    notebook: Any
    client: NotebookClient
    kernel: AsyncKernelManager

    def index(self, cell: str) -> int:
        (found,) = [n for n, c in enumerate(self.notebook.cells) if c.id == cell]
        return found

    async def run(self, cell: str) -> str:
        """Run a cell to its end, and return what it shows."""
        at = self.index(cell)
        self.notebook.cells[at].outputs = []
        await self.client.async_execute_cell(self.notebook.cells[at], at)
        return self.shown(cell)

    def shown(self, cell: str) -> str:
        """Return what a cell shows now, in plain text."""
        outputs = self.notebook.cells[self.index(cell)].get("outputs", [])
        return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)

    def html(self, cell: str) -> str:
        outputs = self.notebook.cells[self.index(cell)].get("outputs", [])
        return "\n".join(o.get("data", {}).get("text/html", "") for o in outputs)

    async def until(self, cell: str, pattern: str) -> str:
        """Wait until a running cell shows something."""
        async with asyncio.timeout(GUARD_S):
            while not (found := re.search(pattern, self.shown(cell))):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)
        return found.group(1)

    @asynccontextmanager
    async def launched(self) -> AsyncIterator[str]:
        """Run the last cell, lend the address that its banner shows, then stop it as a user."""
        self.notebook.cells[self.index("watch")].outputs = []
        running = asyncio.create_task(self.run("watch"))
        try:
            yield await self.until("watch", r"Address: (\S+)")
        finally:
            await self.kernel.interrupt_kernel()
            async with asyncio.timeout(GUARD_S):
                await running


@asynccontextmanager
async def opened(
    notebook: dict[str, Any], runtime: Path, folder: Path, **environ: str
) -> AsyncIterator[Running]:
    """Open a notebook on a kernel of the runtime, with these variables."""
    spec = folder / "kernels" / "colab"
    spec.mkdir(parents=True)
    argv = [str(runtime / "bin/python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Colab", "language": "python"})
    )
    manager = AsyncKernelManager(
        kernel_name="colab",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder / "kernels")]),
        transport="ipc",
        ip=str(folder / "socket"),
    )
    apt_get = folder / "apt-get"
    if not apt_get.exists():
        # On Colab the cells are root and install libgomp1, where it is missing. Here a user runs
        # the tests, and no test installs anything into the system; espeak does without it.
        apt_get.write_text("#!/bin/sh\nexit 0\n")
        apt_get.chmod(0o755)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "PYTHON"))}
    given = {
        **inherited,
        "PATH": f"{folder}:{runtime / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(FAKES),
        "XDG_CACHE_HOME": str(folder / "cache"),
        **environ,
    }
    read = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    client = NotebookClient(read, km=manager, timeout=GUARD_S)
    async with client.async_setup_kernel(env=given, cwd=str(folder)):
        try:
            yield Running(read, client, manager)
        finally:  # the client leaves a kernel manager that was given to it alone
            assert client.kc is not None
            client.kc.stop_channels()
            await manager.shutdown_kernel()
            manager.context.destroy()
