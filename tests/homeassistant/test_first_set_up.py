"""The first contact: HACS has unpacked the component, and an admin adds the integration.

Each of the four choices of the dialog, on a Home Assistant that has nothing of ours installed.
Every step is printed with its time, and with the megabytes that it left on the disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from checkpoint.folder import make_folder
from conftest import COMPONENT
from guard import GUARD_S
from hub_site import HubSite, hub_site
from pydantic import SecretStr
from real_hass import Hass, running_hass
from server_process import TOKEN, running_server
from test_end_to_end import recorded, speak
from tone_engine import expected, same
from user_machine import Machine, machine

from vieneu_colab_server.address_callback import AddressCallback
from vieneu_core import __version__
from vieneu_core.models.catalogue import DEFAULT_DECODER, DEFAULT_GGUF, VOICES_FILE, known_model

pytestmark = pytest.mark.timeout(1800)
FLOW = "/api/config/config_entries/flow"
UNFIT = {("2026.11", "sdk"): "pillow"}
"""Extras that cannot be installed beside a release of Home Assistant, and what both need."""
SENTENCE = "Xin chào ngôi nhà."
TRIAL_S = 900.0
"""Longest trial of a model: its packages are downloaded in it."""


class Steps:
    """Measures each step, and prints it."""

    def __init__(self, choice: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._choice = choice
        self._capsys = capsys

    @contextmanager
    def step(self, name: str, hass: Hass) -> Iterator[None]:
        before_mb, began_s = hass.machine.megabytes(), time.monotonic()
        yield
        took_s, more_mb = time.monotonic() - began_s, hass.machine.megabytes() - before_mb
        with self._capsys.disabled():
            sys.stdout.write(f"\n{self._choice}: {name}: {took_s:.1f} s, {more_mb:+.1f} MB")


@pytest.fixture
def steps(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Steps:
    return Steps(request.node.name.removeprefix("test_"), capsys)


async def opened(hass: Hass) -> Any:
    """Open the dialog that adds the integration."""
    flow = await hass.post(FLOW, handler="vieneu")
    assert flow["menu_options"] == ["embedded", "model", "server", "colab"]
    return flow


async def go_on(hass: Hass, flow: Any, **given: Any) -> Any:
    return await hass.post(f"{FLOW}/{flow['flow_id']}", **given)


@pytest.mark.parametrize("way", ["from_hacs", "by_pip"])
async def test_embedded(tmp_path: Path, steps: Steps, way: str) -> None:
    async with running_hass(tmp_path, from_hacs=way == "from_hacs", by_pip=way == "by_pip") as hass:
        with steps.step("open the dialog", hass):
            flow = await opened(hass)
        with steps.step("choose", hass):
            flow = await go_on(hass, flow, next_step_id="embedded")
            done = await go_on(hass, flow)
        assert done["type"] == "create_entry", done
        with steps.step("first speech", hass):
            await hass.until("sensor.vieneu_active_backend", "local")
            await speak(hass, SENTENCE)
            seconds, _ = await recorded(hass, 0)
        assert seconds > 0.5
        assert hass.machine.modules("sanotts", "espeakng_loader") == {"sanotts", "espeakng_loader"}
        await hass.stop()
        assert hass.complaints() == []


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubSite]:
    """The default model, small and of our making, where the hub has the real one."""
    made = make_folder(tmp_path / "model")
    model, decoder = known_model(DEFAULT_GGUF).source, known_model(DEFAULT_DECODER).source
    assert model.repo
    assert decoder.repo
    with hub_site() as site:
        site.files[model.repo] = {
            model.files[0]: made.model.read_bytes(),
            VOICES_FILE: (made.path / VOICES_FILE).read_bytes(),
        }
        site.files[decoder.repo] = {decoder.files[0]: made.codec.read_bytes()}
        yield site


async def test_model(tmp_path: Path, steps: Steps, hub: HubSite) -> None:
    config, lacking = tmp_path / "config", tmp_path / "lacking"
    config.mkdir()
    lacking.mkdir()
    environ = await openmp_of_the_system(lacking, hub)
    environ |= {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(config / "models"),
        "XDG_STATE_HOME": str(config / "state"),
    }
    async with running_hass(config, from_hacs=True, environ=environ) as hass:
        with steps.step("open the dialog", hass):
            flow = await opened(hass)
        with steps.step("choose", hass):
            flow = await go_on(hass, flow, next_step_id="model")
            # Not auto: on a busy machine it may find every model too slow.
            flow = await go_on(hass, flow, engine="gguf")
            assert flow["type"] == "progress", flow
            entry = await entry_of_a_trial(hass, flow)
        with steps.step("first speech", hass):
            await spoken_by_the_model(hass, entry, 0)
        # A new container: what was installed into the old one is gone.
        await hass.stop()
        hass.machine.renew()
        with steps.step("start in a new container", hass):
            await hass.restart()
            await spoken_by_the_model(hass, entry, 0)
        assert hass.machine.modules("espeakng_loader"), "the last resort has come back as well"
        assert await hass.issues() == set()
        await hass.stop()
        assert hass.complaints() == []


async def openmp_of_the_system(config: Path, hub: HubSite) -> dict[str, str]:
    """Let the dialog name the command for OpenMP where the system lacks it; return it as done.

    The folder of that library is then what ``scripts/test`` has unpacked.
    """
    async with running_hass(config, from_hacs=True, environ={"HF_ENDPOINT": hub.url}) as hass:
        if hass.machine.loads("libgomp.so.1"):
            return {}
        flow = await go_on(hass, await opened(hass), next_step_id="model")
        flow = await end_of_a_trial(hass, await go_on(hass, flow, engine="gguf"))
        assert flow["errors"] == {"base": "engine_failed"}, flow
        assert "apt-get install libgomp1" in flow["description_placeholders"]["remedy"]
        await hass.stop()
    return {"LD_LIBRARY_PATH": os.environ["LD_LIBRARY_PATH"]}


async def end_of_a_trial(hass: Hass, flow: Any) -> Any:
    """Ask for the dialog until a model was tried, as the frontend does; return what it shows."""
    async with asyncio.timeout(TRIAL_S):
        while flow["type"] == "progress":
            await asyncio.sleep(0.5)
            flow = await hass.get(f"{FLOW}/{flow['flow_id']}")
    return flow


async def entry_of_a_trial(hass: Hass, flow: Any) -> str:
    flow = await end_of_a_trial(hass, flow)
    assert flow["type"] == "create_entry", flow
    return str(flow["result"]["entry_id"])


async def spoken_by_the_model(hass: Hass, entry: str, number: int) -> None:
    for path in hass.config.glob("tape-*"):
        path.unlink()
    await hass.until("sensor.vieneu_local_state", "ready")
    await speak(hass, SENTENCE)
    seconds, _ = await recorded(hass, number)
    assert seconds > 0.2
    report = await hass.get(f"/api/diagnostics/config_entry/{entry}")
    backends = {each["name"]: each for each in report["data"]["status"]["backends"]}
    assert backends["local"]["health"]["engine"] == "gguf"


async def test_server(tmp_path: Path, steps: Steps) -> None:
    async with running_server() as server, running_hass(tmp_path, from_hacs=True) as hass:
        with steps.step("open the dialog", hass):
            flow = await opened(hass)
        with steps.step("choose", hass):
            flow = await go_on(hass, flow, next_step_id="server")
            done = await go_on(hass, flow, url=server.url, token=TOKEN)
        assert done["type"] == "create_entry", done
        with steps.step("first speech", hass):
            await hass.until("sensor.vieneu_active_backend", "local")
            await speak(hass, SENTENCE)
            _, tones = await recorded(hass, 0)
        assert same(tones, [expected(SENTENCE)])
        assert hass.machine.modules("espeakng_loader"), "the last resort"
        await hass.stop()
        assert hass.complaints() == []


async def test_colab(tmp_path: Path, steps: Steps) -> None:
    async with running_hass(tmp_path, from_hacs=True) as hass:
        await hass.command("config/core/update", external_url="https://house.example")
        with steps.step("open the dialog", hass):
            flow = await opened(hass)
        with steps.step("choose", hass):
            flow = await go_on(hass, flow, next_step_id="colab")
            flow = await go_on(hass, flow, tunnel="ngrok")
        assert flow["menu_options"] == ["wait", "paste"], flow
        with steps.step("download the notebook", hass):
            cells = await downloaded(hass, flow["description_placeholders"]["link"])
        for package in ("vieneu_core", "vieneu_colab_server"):
            assert f"{package}-{__version__}-py3-none-any.whl" in cells["server"], "carried"
        assert f"vieneu-core=={__version__}" not in "".join(cells.values())
        token, path = token_and_path(cells)
        flow = await go_on(hass, flow, next_step_id="wait")
        assert flow["type"] == "progress"
        async with running_server(token=token) as server:
            with steps.step("pair", hass):
                callback = AddressCallback(hass.url + path, lambda: SecretStr(token))
                await callback.send(server.url, None)
                done = await hass.get(f"{FLOW}/{flow['flow_id']}")  # as the dialog does by itself
                assert done["type"] == "create_entry", done
                await hass.until("sensor.vieneu_active_backend", "remote")
            with steps.step("first speech", hass):
                await speak(hass, SENTENCE)
                _, tones = await recorded(hass, 0)
            assert same(tones, [expected(SENTENCE)])
            await hass.stop()
        assert hass.complaints() == []


async def downloaded(hass: Hass, link: str) -> dict[str, str]:
    """Download the notebook as a browser does: by its link alone. Return its cells by name."""
    async with aiohttp.ClientSession() as browser, browser.get(hass.url + link) as answer:
        assert answer.status == 200, await answer.text()
        notebook = json.loads(await answer.text())
    return {cell["id"]: cell["source"] for cell in notebook["cells"]}


def token_and_path(cells: dict[str, str]) -> tuple[str, str]:
    token = re.search(r"token = '([^']+)'", cells["access"])
    path = re.search(r"callback_url='https://house\.example([^']+)'", cells["start"])
    assert token
    assert path
    return token[1], path[1]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A user's machine, to ask questions of."""
    with machine(tmp_path_factory.mktemp("config")) as lent:
        yield lent


def resolved(on: Machine, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Ask uv as Home Assistant does, which holds everything to its own versions."""
    (held,) = on.home.glob("lib/python*/site-packages/homeassistant/package_constraints.txt")
    command = (str(on.python), "-m", "uv", "pip", *arguments, f"--constraint={held}")
    return subprocess.run(
        command,
        input=given,
        env=on.environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )


@pytest.mark.parametrize("extra", ["embedded", "gguf-prebuilt", "torch", "sdk", "notebook"])
def test_what_can_be_chosen_fits_beside_home_assistant(untouched: Machine, extra: str) -> None:
    found = resolved(untouched, "install", "--dry-run", f"vieneu-core[{extra}]=={__version__}")
    if (untouched.release, extra) in UNFIT:
        assert UNFIT[untouched.release, extra] in found.stderr, "it fits now: say so in the guide"
    else:
        assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_what_the_manifest_asks_for_fits_home_assistant_os(
    untouched: Machine, processor: str
) -> None:
    """It is built with musl, and has no compiler."""
    wanted = json.loads((COMPONENT / "manifest.json").read_text("utf-8"))["requirements"]
    found = resolved(
        untouched,
        *("compile", "-", f"--python-platform={processor}-unknown-linux-musl"),
        *("--python-version=3.14", "--only-binary=:all:"),
        given="\n".join(wanted),
    )
    assert found.returncode == 0, found.stderr
    assert "nbformat" in found.stdout
