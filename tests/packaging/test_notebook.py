"""The notebook for real: a kernel in a fresh environment, filled by the notebook's own cell.

It is made by a core that is installed alone, with the source that it takes where none is chosen;
what the packages ask for comes from PyPI, as on Colab. Then the core of this environment connects
to what the banner shows, and is heard.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from distributions import Built, call
from guard import GUARD_S
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError
from notebook_kernel import MakeNotebook, opened
from pydantic import SecretStr
from tunnel_programs import program

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import BackendConnectionError, BackendError
from vieneu_core.synthesis import SynthesisRequest

ENGLISH = ("--lang=en", "--engine=espeak")
TOKEN = "token-of-the-house-0123456789-abcdefghijklmnopqrstuvwxyz"
AUTHTOKEN = "good-authtoken-2aBcDeF"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


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
    runtime: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    notebook = make_notebook(*ENGLISH, "--tunnel=none", "--drive-cache", "--voice=vi-north")
    async with opened(notebook, runtime, tmp_path, COLAB_SECRET_VIENEU_TOKEN=TOKEN) as running:
        assert "The secrets are complete" in await running.run("access")
        assert "Mounted at /content/drive" in await running.run("drive")
        assert "Engine: espeak" in await running.run("server")
        form = running.notebook.cells[running.index("voices")]
        form.source = form.source.replace(
            "CARRIED_VOICES,\n", "CARRIED_VOICES,\n    folder='voices',\n"
        )
        assert "No voice of your own was added" in await running.run("voices")
        started = await running.run("start")
        assert "The model is ready" in started
        assert "The model has spoken a test sentence" in started
        assert "Voice prepared: vi-north" in started
        (first,) = servers_of(running.kernel)

        await running.run("start")  # again, while it runs
        (second,) = servers_of(running.kernel)
        assert second.pid != first.pid

        async with running.launched() as url:
            heard_s = await seconds_heard(url, TOKEN)
            line = await running.until("watch", r"(11 h 59 min left.*)")
            banner = running.html("watch")
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
    assert "vieneu-banner" in banner
    assert "are closed" in closed
    assert TOKEN not in saved
    assert "Traceback" not in saved


async def test_a_token_that_was_made_is_seen_on_its_page_alone_and_ngrok_opens_the_way(
    runtime: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    program(tmp_path, "ngrok")
    notebook = make_notebook(*ENGLISH, "--tunnel=pyngrok")
    kept = {"COLAB_SECRET_NGROK_AUTHTOKEN": AUTHTOKEN}
    async with opened(notebook, runtime, tmp_path, **kept) as running:
        assert "A new token was made" in await running.run("access")
        for cell in ("drive", "server", "start"):
            await running.run(cell)
        async with running.launched() as url:
            page = await running.until("watch", r"See and copy the token: (\S+)\)")
            async with aiohttp.ClientSession() as session, session.get(page) as answer:
                shown = re.search(r'data-token="(\S+)"', await answer.text())
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
    runtime: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    notebook = make_notebook(*ENGLISH, "--model=nothing")
    async with opened(notebook, runtime, tmp_path) as running:
        for cell, before in (("voices", 3), ("start", 1), ("watch", 5)):
            with pytest.raises(CellExecutionError, match=f"Cell {before} has not run yet"):
                await running.run(cell)
        with pytest.raises(CellExecutionError, match="needs the secret NGROK_AUTHTOKEN"):
            await running.run("access")
        form = running.notebook.cells[running.index("access")]
        form.source = form.source.replace("TUNNEL = 'ngrok'", "TUNNEL = 'none'")
        for cell in ("access", "drive", "server"):
            await running.run(cell)
        with pytest.raises(CellExecutionError) as caught:
            await running.run("start")
        shown = caught.value.traceback.splitlines()
        assert any("The engine espeak has no options" in line for line in shown)
        code = running.notebook.cells[running.index("start")].source
        assert len(shown) - len(code.splitlines()) < 15, "no pages of code of ours"


async def test_the_frame_of_the_token_leaves_no_token_in_the_notebook(
    runtime: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    """Nor does the script that Colab evaluates where no browser opens the frame."""
    notebook = make_notebook("--lang=vi", "--engine=espeak", "--tunnel=none")
    evaluated = tmp_path / "evaluated"
    given = {"COLAB_SECRET_VIENEU_TOKEN": TOKEN, "COLAB_EVALUATED": str(evaluated)}
    async with opened(notebook, runtime, tmp_path, **given) as running:
        for cell in ("access", "server", "start"):
            await running.run(cell)
        watching = asyncio.create_task(running.run("watch"))
        async with asyncio.timeout(GUARD_S):
            while not evaluated.exists():  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)
        await running.kernel.interrupt_kernel()
        await watching
        saved = json.dumps(running.notebook)

    assert TOKEN in evaluated.read_text()
    assert "proxyPort" in saved
    assert TOKEN not in saved


def test_an_installed_package_is_carried_as_it_is(uv: str, built: Built, tmp_path: Path) -> None:
    """Packed again where the core is installed alone, both speak in another environment."""
    first, second = tmp_path / "first", tmp_path / "second"
    pack = (
        "from pathlib import Path; from vieneu_core.notebook import Carried;"
        "[Path(w.name).write_bytes(w.content) for w, _ in Carried.of_installed().wheels]"
    )
    (ours,) = [wheel for wheel in built.wheels if wheel.name.startswith("vieneu_core-")]
    for home in (first, second):
        call(uv, "venv", "--quiet", "--python", sys.executable, home)
    call(uv, "pip", "install", "--quiet", "--python", first, ours)
    packed = tmp_path / "packed"
    packed.mkdir()
    call(first / "bin/python", "-I", "-c", pack, cwd=packed)
    shutil.rmtree(first)
    wheels = sorted(packed.glob("*.whl"))
    core = f"vieneu-core[cli,espeak] @ {wheels[1].as_uri()}"
    call(uv, "pip", "install", "--quiet", "--python", second, core, wheels[0])
    call(second / "bin/vieneu", "say", "Xin chào.", "-o", "hello.wav", cwd=tmp_path)
    call(second / "bin/vieneu-server", "--version")
    again = tmp_path / "again"  # as on Colab, where the core holds no wheel of the server
    again.mkdir()
    call(second / "bin/python", "-I", "-c", pack, cwd=again)

    assert [path.name.partition("-")[0] for path in wheels] == [
        "vieneu_colab_server",
        "vieneu_core",
    ]
    assert (tmp_path / "hello.wav").stat().st_size > 10_000
    assert contents(again) == contents(packed)


def contents(folder: Path) -> dict[str, dict[str, bytes]]:
    """Return the package files in each wheel of a folder."""
    found = {}
    for path in folder.glob("*.whl"):
        with zipfile.ZipFile(path) as wheel:
            names = [name for name in wheel.namelist() if ".dist-info/" not in name]
            found[path.name] = {name: wheel.read(name) for name in names}
    return found
