"""Entities of Google Colab: there while it is set up, and what its test says."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, press, until
from flow_steps import go_on, reconfigure
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from server_outage import notifications, repairs
from server_site import TOKEN, Site, serving

from vieneu_core.testing.scripted import ScriptedBackend

OF_COLAB = {
    "binary_sensor.vieneu_google_colab_connected",
    "button.vieneu_disconnect_google_colab",
    "button.vieneu_test_google_colab",
    "sensor.vieneu_google_colab_latency",
    "sensor.vieneu_google_colab_state",
    "sensor.vieneu_gpu_memory",
    "sensor.vieneu_session_age",
    "sensor.vieneu_session_end",
    "sensor.vieneu_tunnel_quota_used",
}


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {entity.entity_id for entity in found}


def backends(hass: HomeAssistant) -> list[str]:
    state = hass.states.get("select.vieneu_backend")
    assert state is not None
    return list(state.attributes["options"])


async def test_entities_of_colab_come_and_go_with_it_without_a_reload(
    hass: HomeAssistant, set_up: SetUp, site: Site
) -> None:
    entry = await set_up(EMBEDDED)
    runtime, others = entry.runtime_data, registered(hass, entry)
    assert not others & OF_COLAB
    assert len(others) > 15
    assert backends(hass) == ["local"]

    flow = await reconfigure(hass, entry)
    assert "remove_colab" not in flow["menu_options"]
    flow = await go_on(hass, flow, {"next_step_id": "paste"})
    flow = await go_on(hass, flow, {"url": site.url, "token": TOKEN})
    assert flow["reason"] == "reconfigure_successful"
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_google_colab_state", "ready"))
    assert registered(hass, entry) == others | OF_COLAB
    assert backends(hass) == ["local", "remote"]

    flow = await reconfigure(hass, entry, "remove_colab")
    assert flow["step_id"] == "remove_colab"
    flow = await go_on(hass, flow, {})
    assert flow["reason"] == "reconfigure_successful"
    await until(hass, lambda: registered(hass, entry) == others)
    assert hass.states.get("sensor.vieneu_google_colab_state") is None
    assert backends(hass) == ["local"]
    assert "colab" not in entry.data
    assert entry.runtime_data is runtime


async def test_colab_that_is_removed_while_it_is_lost_takes_its_messages_along(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    entry = await set_up({**colab, "webhook_id": "a-webhook"}, mode="remote")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_local_state", "ready"))
    site.server.stop()
    await site.task
    with pytest.raises(HomeAssistantError):
        await press(hass, "test_google_colab")
    await until(hass, lambda: repairs(hass) == {"remote_lost", "fallback_active"})
    flow = await reconfigure(hass, entry, "remove_colab")
    await go_on(hass, flow, {})
    await until(hass, lambda: not repairs(hass))
    assert notifications(hass) == []
    assert hass.states.is_state("select.vieneu_backend", "local")
    assert entry.options["mode"] == "local"
    assert hass.data["webhook"] == {}


async def test_entities_that_an_earlier_version_left_are_removed(
    hass: HomeAssistant, set_up: SetUp, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_get_or_create(
        "sensor", "vieneu", "the-house_remote_state", suggested_object_id="vieneu_old"
    )
    await set_up(EMBEDDED)
    assert entity_registry.async_get("sensor.vieneu_old") is None


async def test_a_test_after_a_start_with_colab_down_says_so_and_changes_nothing(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], site: Site
) -> None:
    site.server.stop()
    await site.task
    entry = await set_up(colab, mode="remote")
    await until(hass, lambda: repairs(hass) == {"remote_lost", "fallback_active"})
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as caught:
            await press(hass, "test_google_colab")
        assert caught.value.translation_placeholders is not None
        assert "127.0.0.1" in caught.value.translation_placeholders["detail"]
        assert repairs(hass) == {"remote_lost", "fallback_active"}
        assert hass.states.is_state("sensor.vieneu_google_colab_state", "unreachable")
        assert hass.states.is_state("binary_sensor.vieneu_google_colab_connected", "off")

    port = int(site.url.rpartition(":")[2])
    async with serving(ScriptedBackend(name="colab"), port=port):
        await press(hass, "test_google_colab")
        await until(hass, lambda: not repairs(hass))
        assert hass.states.is_state("sensor.vieneu_active_backend", "remote")
        await hass.config_entries.async_unload(entry.entry_id)
