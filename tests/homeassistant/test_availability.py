"""Values of a backend that does not answer are unavailable; what tells of the outage stays."""

from __future__ import annotations

from typing import Any

from conftest import SetUp, until
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from server_outage import find, lose
from server_site import Site, serving

from vieneu_core.testing.scripted import ScriptedBackend

OFF_BY_DEFAULT = ("remote_latency", "gpu_memory", "remote_uptime", "queue_depth")
OF_COLAB = ("remote_latency", "gpu_memory", "remote_uptime", "session_end")


def unavailable(hass: HomeAssistant) -> set[str]:
    return {
        state.entity_id for state in hass.states.async_all() if state.state == STATE_UNAVAILABLE
    }


async def test_what_a_lost_server_measured_is_unavailable_until_it_is_back(
    hass: HomeAssistant,
    set_up: SetUp,
    colab: dict[str, Any],
    site: Site,
    entity_registry: er.EntityRegistry,
) -> None:
    for key in OFF_BY_DEFAULT:  # an admin has turned them on
        entity_registry.async_get_or_create("sensor", "vieneu", f"the-house_{key}")
    entry = await set_up(colab, mode="remote")
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_google_colab_state", "ready"))
    await until(hass, lambda: not unavailable(hass))
    measured = {
        entity_registry.async_get_entity_id("sensor", "vieneu", f"the-house_{key}")
        for key in OF_COLAB
    }
    for entity_id in measured:
        assert entity_id is not None
        assert hass.states.get(entity_id) is not None, "it is on"
    end = hass.states.get("sensor.vieneu_session_end")
    assert end is not None
    assert end.state not in {STATE_UNAVAILABLE, STATE_UNKNOWN}

    await lose(hass, site)
    await until(hass, lambda: unavailable(hass) == measured)
    assert hass.states.is_state("sensor.vieneu_google_colab_state", "unreachable")
    assert hass.states.is_state("binary_sensor.vieneu_google_colab_connected", "off")

    async with serving(ScriptedBackend(), session_limit_s=12 * 3600) as other:
        await find(hass, entry, other)
        await until(hass, lambda: not unavailable(hass))
        await hass.config_entries.async_unload(entry.entry_id)
