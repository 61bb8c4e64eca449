"""Every entity as it is registered and shown, held to a snapshot."""

from __future__ import annotations

import pytest
from conftest import EMBEDDED, SetUp, until
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import snapshot_platform
from server_site import TOKEN
from syrupy.assertion import SnapshotAssertion

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]
"""The voice is not among them: its state is when it last spoke, its options hold a key."""


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_the_entities_of_a_platform(
    monkeypatch: pytest.MonkeyPatch,
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    set_up: SetUp,
    snapshot: SnapshotAssertion,
    platform: Platform,
) -> None:
    everything_on = "homeassistant.helpers.entity.Entity.entity_registry_enabled_default"
    monkeypatch.setattr(everything_on, True)
    monkeypatch.setattr("custom_components.vieneu.PLATFORMS", (platform,))
    colab = {"url": "http://127.0.0.1:1", "token": TOKEN}
    entry = await set_up({**EMBEDDED, "colab": colab})
    status = entry.runtime_data.router.status
    for name, state in (("remote", "unreachable"), ("local", "ready")):
        await until(hass, lambda name=name, state=state: status().backend(name).state == state)
    await hass.async_block_till_done()
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)
    await hass.config_entries.async_unload(entry.entry_id)
