"""A server on Colab that is lost, and what an admin sees of it."""

from __future__ import annotations

import pytest
from conftest import press, until
from homeassistant.components.persistent_notification import DOMAIN as NOTIFICATION
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)
from server_site import TOKEN, Site, serving

from vieneu_core.testing.scripted import ScriptedBackend


def repairs(hass: HomeAssistant) -> set[str]:
    return {key for domain, key in ir.async_get(hass).issues if domain == "vieneu"}


def notifications(hass: HomeAssistant) -> list[str]:
    return [n["message"].partition(":")[0] for n in hass.data.get(NOTIFICATION, {}).values()]


async def lose(hass: HomeAssistant, site: Site) -> None:
    """End the server, and let the router find out."""
    site.server.stop()
    await site.task
    with pytest.raises(HomeAssistantError):
        await press(hass, "test_google_colab")
    await until(hass, lambda: "remote_lost" in repairs(hass))


async def find(hass: HomeAssistant, entry: MockConfigEntry, site: Site) -> None:
    """Give the router the server's new address."""
    runtime = entry.runtime_data
    await runtime.router.set_remote(runtime.remote({"url": site.url, "token": TOKEN}))
    await entry.runtime_data.coordinator.async_refresh()


async def turn_on_until_end(hass: HomeAssistant, entry: MockConfigEntry, site: Site) -> None:
    """Start the local server again; once all is well, end the integration."""
    async with serving(ScriptedBackend(), port=int(site.url.rpartition(":")[2])):
        await entry.runtime_data.router.check("local")
        await until(hass, lambda: not repairs(hass))
        assert notifications(hass) == []
        await hass.config_entries.async_unload(entry.entry_id)
