"""An entry: set up, switched, reloaded, unloaded."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil
import pytest
from conftest import EMBEDDED, SetUp, press, until
from custom_components.vieneu.runtime import VieneuRuntime
from guard import GUARD_S
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry
from server_outage import repairs
from server_site import TOKEN, Site
from test_tts import seconds, spoken

from vieneu_core.errors import SynthesisFailedError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


def state(hass: HomeAssistant, entity_id: str) -> str:
    found = hass.states.get(entity_id)
    assert found is not None, [s.entity_id for s in hass.states.async_all()]
    return found.state


async def test_the_embedded_voice_alone_is_enough(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(EMBEDDED)
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, "select.vieneu_backend") == "local"
    assert state(hass, "sensor.vieneu_active_backend") == "local"
    assert state(hass, "binary_sensor.vieneu_local_ready") == "on"
    workers = psutil.Process().children(recursive=True)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    _, alive = await asyncio.to_thread(psutil.wait_procs, workers, timeout=GUARD_S)
    assert [p for p in alive if "resource_tracker" not in " ".join(p.cmdline())] == []


async def test_a_set_up_that_is_cancelled_leaves_no_process(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = MockConfigEntry(domain="vieneu", data=EMBEDDED)
    entry.add_to_hass(hass)
    load, loaded = VieneuRuntime.async_load, asyncio.Event()

    async def load_and_wait(runtime: VieneuRuntime) -> None:
        await load(runtime)
        loaded.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(VieneuRuntime, "async_load", load_and_wait)
    setting_up = asyncio.ensure_future(hass.config_entries.async_setup(entry.entry_id))
    async with asyncio.timeout(GUARD_S):
        await loaded.wait()
    workers = psutil.Process().children(recursive=True)
    setting_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await setting_up

    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert repairs(hass) == set()
    _, alive = await asyncio.to_thread(psutil.wait_procs, workers, timeout=GUARD_S)
    assert [p for p in alive if "resource_tracker" not in " ".join(p.cmdline())] == []


def listening(hass: HomeAssistant) -> dict[str, int]:
    """Count the listeners, but those of Home Assistant's own files, which are written later."""
    found = dict(hass.bus.async_listeners())
    found.pop(EVENT_HOMEASSISTANT_FINAL_WRITE, None)
    return found


async def test_nothing_of_an_unloaded_entry_is_left(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    hass.config.external_url = "https://house.example"
    data = {**colab, "webhook_id": "a-webhook"}
    # What Home Assistant itself begins at the first set-up stays with it.
    entry = await set_up(data, mode="remote")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    tasks, listeners = asyncio.all_tasks(), listening(hass)
    for _ in range(2):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert "a-webhook" in hass.data["webhook"]
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() <= tasks
    assert listening(hass) == listeners
    assert hass.data["webhook"] == {}


async def test_what_this_version_has_stored_is_understood_by_later_ones(
    hass: HomeAssistant, site: Site
) -> None:
    """The shape of a stored entry, written out: a later version must read or migrate it."""
    stored = {
        "local": {"kind": "server", "url": site.url, "token": TOKEN},
        "colab": {"url": site.url, "token": TOKEN},
        "webhook_id": "a-webhook",
    }
    options = {
        "mode": "remote", "voice": "vi-south", "speed": 1.25, "sentence_pause": 0.5,
        "automatic_fallback": False,
    }  # fmt: skip
    entry = MockConfigEntry(
        domain="vieneu", unique_id="vieneu", version=1, minor_version=1, data=stored,
        options=options,
    )  # fmt: skip
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "select.vieneu_backend") == "remote"
    assert state(hass, "select.vieneu_default_voice") == "vi-south"
    assert state(hass, "number.vieneu_speed") == "1.25"
    assert state(hass, "number.vieneu_pause_between_sentences") == "0.5"
    assert state(hass, "switch.vieneu_automatic_fallback") == "off"
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_what_a_later_version_has_stored_is_left_alone(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain="vieneu", unique_id="vieneu", version=2, data={"new": "shape"})
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.MIGRATION_ERROR
    assert entry.data == {"new": "shape"}


async def test_the_admin_switches_and_a_restart_keeps_it(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab)
    assert state(hass, "select.vieneu_backend") == "local"
    await until(hass, lambda: state(hass, "sensor.vieneu_google_colab_state") == "ready")
    await select(hass, "select.vieneu_backend", "remote")
    assert state(hass, "sensor.vieneu_active_backend") == "remote"
    assert state(hass, "select.vieneu_backend") == "remote"

    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "select.vieneu_backend") == "remote"
    assert state(hass, "sensor.vieneu_active_backend") == "remote"


async def select(hass: HomeAssistant, entity_id: str, option: str) -> None:
    await hass.services.async_call(
        "select", "select_option", {"entity_id": entity_id, "option": option}, blocking=True
    )
    await hass.async_block_till_done()


async def test_what_is_not_ready_is_refused_with_what_to_do(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up({**EMBEDDED, "colab": {"url": "http://127.0.0.1:1", "token": TOKEN}})
    with pytest.raises(ServiceValidationError) as caught:
        await select(hass, "select.vieneu_backend", "remote")
    assert caught.value.translation_key == "remote_not_ready"
    assert "Run the notebook" in str(caught.value)
    assert state(hass, "select.vieneu_backend") == "local"


async def test_the_remedy_is_in_the_language_of_home_assistant(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await hass.config.async_update(language="vi")
    await set_up(EMBEDDED)
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call("vieneu", "warm", {"backend": "remote"}, blocking=True)
    assert caught.value.translation_placeholders is not None
    placeholders = caught.value.translation_placeholders
    assert placeholders["detail"] == "Nguồn giọng remote chưa được thiết lập."
    assert placeholders["remedy"] == "Hãy thêm ở trang của bộ tích hợp: Cấu hình lại."


async def test_when_the_server_dies_speech_goes_on_locally_and_the_admin_is_notified(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    await set_up(colab, mode="remote")
    assert state(hass, "sensor.vieneu_active_backend") == "remote"
    site.server.stop()
    await site.task
    with pytest.raises(HomeAssistantError):
        await press(hass, "test_google_colab")
    await until(hass, lambda: state(hass, "sensor.vieneu_active_backend") == "local")

    assert state(hass, "select.vieneu_backend") == "remote", "the choice stays the admin's"
    assert state(hass, "binary_sensor.vieneu_fallback_active") == "on"
    assert ir.async_get(hass).async_get_issue("vieneu", "remote_lost") is not None
    assert ir.async_get(hass).async_get_issue("vieneu", "fallback_active") is not None
    happened = hass.states.get("event.vieneu_backend_event")
    assert happened is not None
    assert happened.attributes["event_type"] in {"remote_lost", "failed_over"}


async def test_every_entity_is_translated_and_has_a_unique_id(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab)
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)

    assert len(entities) == 26
    assert len({entity.unique_id for entity in entities}) == len(entities)
    assert all(entity.translation_key for entity in entities)
    off = {entity.unique_id.removeprefix(f"{entry.entry_id}_") for entity in entities
           if entity.disabled_by is not None}  # fmt: skip
    assert off == {
        "remote_latency", "gpu_memory", "remote_uptime", "queue_depth", "real_time_factor",
    }  # fmt: skip


async def test_options_change_without_a_reload(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab)
    runtime = entry.runtime_data
    await hass.services.async_call(
        "number", "set_value", {"entity_id": "number.vieneu_speed", "value": 1.5}, blocking=True
    )
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": "switch.vieneu_automatic_fallback"}, blocking=True
    )
    await select(hass, "select.vieneu_default_voice", "vi-south")
    await hass.async_block_till_done()

    assert entry.runtime_data is runtime
    assert entry.options == {"speed": 1.5, "automatic_fallback": False, "voice": "vi-south"}
    assert state(hass, "number.vieneu_speed") == "1.5"
    assert state(hass, "switch.vieneu_automatic_fallback") == "off"
    assert state(hass, "select.vieneu_default_voice") == "vi-south"


async def test_the_switch_says_whether_another_voice_speaks(
    hass: HomeAssistant, set_up: SetUp, engine: ScriptedBackend, colab: dict[str, Any]
) -> None:
    await set_up(colab, mode="remote", automatic_fallback=False)
    await until(hass, lambda: state(hass, "sensor.vieneu_local_state") == "ready")
    engine.always = ScriptStep(error=SynthesisFailedError("not today"))
    with pytest.raises(HomeAssistantError):
        await spoken(hass, "Có ai không?", preferred_format="wav")
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.vieneu_automatic_fallback"}, blocking=True
    )
    assert state(hass, "switch.vieneu_automatic_fallback") == "on"
    assert seconds(await spoken(hass, "Có ai không?", preferred_format="wav")) > 0.5


async def test_where_nothing_can_speak_it_is_tried_again_later(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up({"local": {"kind": "model", "engine": "nothing:at_all"}})
    # The last resort voice speaks, so the entry is set up all the same.
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, "sensor.vieneu_active_backend") == "last_resort"
