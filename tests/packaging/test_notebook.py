"""The notebook for real: a kernel in a fresh environment, filled by the notebook's own cell.

It carries the wheels of this repository; what they ask for comes from PyPI, as on Colab. Then the
core of this environment connects to what the banner shows, and is heard.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import nbformat
import psutil
import pytest
from distributions import Built
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from pydantic import SecretStr
from tunnel_programs import program

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import BackendConnectionError, BackendError
from vieneu_core.notebook import Carried, NotebookSettings, TunnelKind, Wheel, render_notebook
from vieneu_core.synthesis import SynthesisRequest

STAND_INS = Path(__file__).parents[1] / "stand_ins"
TOKEN = "token-of-the-house-0123456789-abcdefghijklmnopqrstuvwxyz"
AUTHTOKEN = "good-authtoken-2aBcDeF"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def call(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, timeout=300, cwd=cwd)


@pytest.fixture(scope="session")
def runtime(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what a fresh runtime has: a Python with pip and a kernel."""
    home = tmp_path_factory.mktemp("runtime") / "env"
    call(uv, "venv", "--quiet", "--seed", "--python", sys.executable, home)
    call(uv, "pip", "install", "--quiet", "--python", home, "ipykernel")
    return home


@pytest.fixture(scope="session")
def carried(built: Built) -> Carried:
    ours = [w for w in built.wheels if "ha_integration" not in w.name]
    return Carried.of([Wheel.of_file(path) for path in ours])


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
        async with asyncio.timeout(60):
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
            async with asyncio.timeout(60):
                await running


@asynccontextmanager
async def opened(
    settings: NotebookSettings, runtime: Path, folder: Path, **secrets: str
) -> AsyncIterator[Running]:
    """Open a notebook on a kernel of the runtime."""
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
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "PYTHON"))}
    environ = {
        **inherited,
        "PATH": f"{folder}:{runtime / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(STAND_INS),
        "XDG_CACHE_HOME": str(folder / "cache"),
        **{f"COLAB_SECRET_{name}": value for name, value in secrets.items()},
    }
    notebook = nbformat.from_dict(render_notebook(settings))  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, km=manager, timeout=300)
    async with client.async_setup_kernel(env=environ, cwd=str(folder)):
        try:
            yield Running(notebook, client, manager)
        finally:  # the client leaves a kernel manager that was given to it alone
            assert client.kc is not None
            client.kc.stop_channels()
            await manager.shutdown_kernel()
            manager.context.destroy()


async def seconds_heard(url: str, token: str) -> float:
    backend = RemoteBackend(url, SecretStr(token))
    try:
        await backend.load()
        return (await synthesize(backend, SynthesisRequest(text="Xin chào các bạn."))).seconds
    finally:
        await backend.aclose()


def servers_of(kernel: AsyncKernelManager) -> list[psutil.Process]:
    provisioner: Any = kernel.provisioner
    family = psutil.Process(provisioner.pid).children()
    alive = [each for each in family if each.status() != "zombie"]
    return [each for each in alive if "vieneu_colab_server" in each.cmdline()]


async def test_from_install_to_the_first_sentence_and_again(
    runtime: Path, carried: Carried, tmp_path: Path
) -> None:
    settings = NotebookSettings(
        language="en",
        engine="espeak",
        tunnel=TunnelKind.NONE,
        drive_cache=True,
        voices=("vi-north",),
        source=carried,
    )
    async with opened(settings, runtime, tmp_path, VIENEU_TOKEN=TOKEN) as running:
        assert "Mounted at /content/drive" in await running.run("drive")
        await running.run("packages")
        assert "Engine: espeak" in await running.run("server")
        assert "The model is here" in await running.run("model")
        started = await running.run("start")
        assert "The model has spoken a test sentence" in started
        assert "Voice prepared: vi-north" in started
        (first,) = servers_of(running.kernel)

        await running.run("start")  # again, while it runs
        (second,) = servers_of(running.kernel)
        assert second.pid != first.pid

        async with running.launched() as url:
            heard_s = await seconds_heard(url, TOKEN)
            line = await running.until("watch", r"(11 h 59 min left.*)")
            qr = running.html("watch")
        closed = running.shown("watch")
        with pytest.raises(BackendConnectionError):
            await seconds_heard(url, TOKEN)
        assert servers_of(running.kernel) == []

        await running.run("start")  # all of it once more
        async with running.launched() as url:
            assert await seconds_heard(url, TOKEN) > 0.5
        saved = json.dumps(running.notebook)

    assert heard_s > 0.5
    assert re.search(r"\d+ requests · queue 0 · \d+\.\d MB sent", line)
    assert "<svg" in qr
    assert "are closed" in closed
    assert TOKEN not in saved
    assert "Traceback" not in saved


async def test_a_token_that_was_made_is_seen_on_its_page_alone_and_ngrok_opens_the_way(
    runtime: Path, carried: Carried, tmp_path: Path
) -> None:
    program(tmp_path, "ngrok")
    settings = NotebookSettings(language="en", engine="espeak", source=carried)
    async with opened(settings, runtime, tmp_path, NGROK_AUTHTOKEN=AUTHTOKEN) as running:
        for cell in ("drive", "packages", "server", "model"):
            await running.run(cell)
        assert "A new token was made" in await running.run("start")
        async with running.launched() as url:
            page = await running.until("watch", r"See and copy the token: (\S+)\)")
            async with aiohttp.ClientSession() as session, session.get(page) as answer:
                shown = re.search(r'<code id="token">(\S+)</code>', await answer.text())
                assert answer.headers["Cache-Control"] == "no-store"
            assert shown is not None
            heard_s = await seconds_heard(url, shown[1])
            await running.until("watch", r"(MB sent \([\d.]+ % of a month of ngrok's free plan\))")
            agents = [
                each
                for each in psutil.Process(running.kernel.provisioner.pid).children()  # type: ignore[union-attr]
                if each.status() != "zombie" and "ngrok" in " ".join(each.cmdline())
            ]
        saved = json.dumps(running.notebook)
        gone = [each for each in agents if each.is_running() and each.status() != "zombie"]
    with pytest.raises(BackendError):
        await seconds_heard(url, shown[1])

    assert heard_s > 0.5
    assert agents
    assert gone == []
    for secret in (shown[1], AUTHTOKEN):
        assert len(secret) > 20
        assert secret not in saved


async def test_what_is_wrong_is_named_in_its_cell(
    runtime: Path, carried: Carried, tmp_path: Path
) -> None:
    settings = NotebookSettings(language="en", engine="espeak", source=carried, model="nothing")
    async with opened(settings, runtime, tmp_path) as running:
        for cell in ("drive", "packages", "server"):
            await running.run(cell)
        with pytest.raises(CellExecutionError) as caught:
            await running.run("model")
        shown = caught.value.traceback.splitlines()
        assert any("The engine espeak has no options" in line for line in shown)
        assert len(shown) < 25, "no pages of code before what a person can use"
        form = running.notebook.cells[running.index("model")]
        form.source = form.source.replace("'nothing'", "''")
        await running.run("model")
        with pytest.raises(CellExecutionError, match="needs the authtoken of an account"):
            await running.run("start")
        with pytest.raises(CellExecutionError, match="name 'relay' is not defined"):
            await running.run("watch")


async def test_a_damaged_package_is_not_installed(
    runtime: Path, carried: Carried, tmp_path: Path
) -> None:
    settings = NotebookSettings(language="en", engine="espeak", source=carried)
    async with opened(settings, runtime, tmp_path) as running:
        form = running.notebook.cells[running.index("server")]
        form.source = form.source.replace(carried.core.sha256, "0" * 64)
        with pytest.raises(CellExecutionError, match="is damaged: its SHA-256 differs"):
            await running.run("server")


def test_an_installed_package_is_carried_as_it_is(uv: str, built: Built, tmp_path: Path) -> None:
    """Packed again out of an environment, both speak in another one."""
    first, second = tmp_path / "first", tmp_path / "second"
    pack = (
        "from pathlib import Path; from vieneu_core.notebook import Carried;"
        "[Path(w.name).write_bytes(w.content) for w, _ in Carried.of_installed().wheels]"
    )
    ours = [str(w) for w in built.wheels if "ha_integration" not in w.name]
    for home in (first, second):
        call(uv, "venv", "--quiet", "--python", sys.executable, home)
    call(uv, "pip", "install", "--quiet", "--python", first, *ours, "jinja2", "nbformat")
    packed = tmp_path / "packed"
    packed.mkdir()
    call(first / "bin/python", "-I", "-c", pack, cwd=packed)
    shutil.rmtree(first)
    wheels = sorted(packed.glob("*.whl"))
    core = f"vieneu-core[cli,espeak] @ {wheels[1].as_uri()}"
    call(uv, "pip", "install", "--quiet", "--python", second, core, wheels[0])
    call(second / "bin/vieneu", "say", "Xin chào.", "-o", "hello.wav", cwd=tmp_path)
    call(second / "bin/vieneu-server", "--version")

    assert [path.name.partition("-")[0] for path in wheels] == [
        "vieneu_colab_server",
        "vieneu_core",
    ]
    assert (tmp_path / "hello.wav").stat().st_size > 10_000
