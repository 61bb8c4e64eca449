"""Another model is tried in the memory of the one in use, and something speaks meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SetUp
from flow_steps import Flow, go_on, reconfigure, tried
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry
from test_model_flow import Engine, engine, workers  # noqa: F401 - a fixture
from test_tts import seconds, spoken
from waiting import until

MODEL = {"local": {"kind": "model", "engine": "tone_engine:create", "engine_options": {}}}


def active(entry: MockConfigEntry) -> str:
    return str(entry.runtime_data.router.active)


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """A model is in use, and the embedded voice can speak without it."""
    entry = await set_up(MODEL)
    await until(lambda: entry.runtime_data.router.status().ready == ("local", "last_resort"))
    return entry


async def choose_another(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    return await go_on(hass, await reconfigure(hass, entry, "model"), {"engine": "gguf"})


async def test_the_model_in_use_makes_room_for_the_test_and_is_back_if_that_fails(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    engine: Engine,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    n_workers = len(workers())
    let_go = tmp_path / "loaded"
    engine(load_until_file=str(let_go), load_error="model")
    flow = await choose_another(hass, entry)
    assert flow["type"] is FlowResultType.SHOW_PROGRESS
    await until(lambda: active(entry) == "last_resort" and len(workers()) == n_workers)
    assert hass.states.is_state("sensor.vieneu_local_state", "unloaded")
    assert seconds(await spoken(hass, "Có ai không?", preferred_format="wav")) > 0.5

    let_go.touch()
    flow = await tried(hass, flow)
    assert flow["errors"] == {"base": "engine_failed"}
    await until(lambda: active(entry) == "local")
    assert entry.data == MODEL


async def test_it_is_back_too_if_the_dialog_is_closed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    engine: Engine,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    engine(load_until_file=str(tmp_path / "never"))
    flow = await choose_another(hass, entry)
    await until(lambda: active(entry) == "last_resort")
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await until(lambda: active(entry) == "local")


async def test_one_that_speaks_is_used_also_if_nobody_watches_the_dialog(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    engine: Engine,  # noqa: F811 - the fixture
) -> None:
    engine()
    await choose_another(hass, entry)
    await until(lambda: entry.data["local"]["engine"] == "gguf")
    await until(lambda: entry.state.value == "loaded")


async def test_it_is_back_at_once_where_nothing_else_speaks_any_longer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    engine: Engine,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    engine(load_until_file=str(tmp_path / "never"))
    flow = await choose_another(hass, entry)
    await until(lambda: active(entry) == "last_resort")
    await entry.runtime_data.router.set_last_resort(None)
    await entry.runtime_data.coordinator.async_refresh()
    await until(lambda: "local" in entry.runtime_data.router.status().ready)
    hass.config_entries.flow.async_abort(flow["flow_id"])


async def test_a_model_that_the_admin_has_unloaded_stays_so(
    hass: HomeAssistant,
    set_up: SetUp,
    engine: Engine,  # noqa: F811 - the fixture
) -> None:
    entry = await set_up(MODEL)
    await until(lambda: "last_resort" in entry.runtime_data.router.status().ready)
    await entry.runtime_data.router.unload_backend("local")
    engine(load_error="model")
    flow = await choose_another(hass, entry)
    assert (await tried(hass, flow))["errors"] == {"base": "engine_failed"}
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.is_state("sensor.vieneu_local_state", "unloaded")


@pytest.mark.usefixtures("no_embedded_voice")
async def test_where_nothing_else_speaks_it_stays_loaded(
    hass: HomeAssistant,
    set_up: SetUp,
    engine: Engine,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    entry = await set_up(MODEL)
    n_workers = len(workers())
    let_go = tmp_path / "loaded"
    engine(load_until_file=str(let_go))
    flow = await choose_another(hass, entry)
    await until(lambda: len(workers()) == n_workers + 1)
    assert active(entry) == "local"
    let_go.touch()
    assert (await tried(hass, flow))["reason"] == "reconfigure_successful"
