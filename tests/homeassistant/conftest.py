"""Home Assistant itself with the component in it. The backends are real, or scripted."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from guard import GUARD_S
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from run_hooks import (  # noqa: F401 - hooks, which pytest finds by name
    pytest_collectreport,
    pytest_runtest_logreport,
    pytest_sessionstart,
)
from server_site import TOKEN, Site, serving
from syrupy.assertion import SnapshotAssertion

from vieneu_core import builder
from vieneu_core.router.policy import RouterPolicy
from vieneu_core.testing.scripted import ScriptedBackend

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "custom_components/vieneu"
EMBEDDED = {"local": {"kind": "embedded"}}
LIMITS = ("stall_s", "replaceable_stall_s", "first_audio_s", "latest_start_s")
os.environ["VIENEU_LOCAL_ADDRESS_UPDATES"] = "1"  # servers of tests are on this machine
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"  # no test reaches the model hub of the world


def pytest_configure() -> None:
    """Put the component where Home Assistant looks for it, by a link."""
    folder = Path(tempfile.mkdtemp(prefix="vieneu-components-"))
    (folder / "custom_components").mkdir()
    (folder / "custom_components/vieneu").symlink_to(COMPONENT)
    tone_voice = folder / "custom_components/tone_voice"
    shutil.copytree(Path(__file__).with_name("tone_voice"), tone_voice)
    (tone_voice / "manifest").rename(tone_voice / "manifest.json")  # hassfest finds it otherwise
    sys.path.insert(0, str(folder))
    importlib.import_module("custom_components.vieneu")


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find it."""


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let the backends talk: real servers and workers are on loopback."""


@pytest.fixture(autouse=True)
def _limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a backend however slow the machine is: else another one would speak.

    ``@pytest.mark.limits("stall_s")`` leaves those limits as they are that a test is about.
    """
    mark = request.node.get_closest_marker("limits")
    lifted = dict.fromkeys(set(LIMITS) - set(mark.args if mark else ()), GUARD_S)
    monkeypatch.setattr(builder, "RouterPolicy", partial(RouterPolicy, **lifted))


@pytest.fixture(autouse=True)
async def _media(hass: HomeAssistant, tmp_path: Path) -> None:
    """Give each test a folder of its own for configuration and speech."""
    hass.config.config_dir = str(tmp_path)
    assert await async_setup_component(hass, "homeassistant", {})
    hass.config.media_dirs = {"local": str(tmp_path)}


@pytest.fixture
def engine() -> ScriptedBackend:
    """The backend behind the server on Colab."""
    return ScriptedBackend(name="colab", clones=True)


@pytest.fixture
async def site(engine: ScriptedBackend) -> AsyncIterator[Site]:
    """A real server, as a notebook would run it."""
    async with serving(engine, session_limit_s=12 * 3600) as site:
        yield site


@pytest.fixture
def colab(site: Site) -> dict[str, Any]:
    """The data of an entry with a server on Colab."""
    return {**EMBEDDED, "colab": {"url": site.url, "token": TOKEN}}


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Leave out of a snapshot what differs each time."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


SetUp = Callable[..., Any]


@pytest.fixture
async def set_up(hass: HomeAssistant) -> AsyncIterator[SetUp]:
    """Set up an entry; at the end it is unloaded, and nothing of it may be left."""
    entries: list[MockConfigEntry] = []

    async def make(data: dict[str, Any], **options: Any) -> MockConfigEntry:
        entry = MockConfigEntry(
            entry_id="the-house",
            domain="vieneu",
            title="VieNeu",
            data=data,
            options=options,
            unique_id="vieneu",
        )
        entry.add_to_hass(hass)
        entries.append(entry)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        return entry

    yield make
    for entry in entries:
        is_there = hass.config_entries.async_get_entry(entry.entry_id) is not None
        if is_there and entry.state.recoverable:
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    await asyncio.sleep(0)


@pytest.fixture
def no_embedded_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing beside the configured backends that could speak."""
    monkeypatch.setattr("custom_components.vieneu.has_embedded_voice", lambda: False)


async def press(hass: HomeAssistant, button: str) -> None:
    """Press a button of the device."""
    await hass.services.async_call(
        "button", "press", {"entity_id": f"button.vieneu_{button}"}, blocking=True
    )


async def until(hass: HomeAssistant, condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(GUARD_S):
        while not condition():
            await asyncio.sleep(0.05)
            await hass.async_block_till_done()
