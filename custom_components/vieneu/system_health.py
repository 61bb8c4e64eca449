"""Section of the page "System information"."""

from __future__ import annotations

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from vieneu_core import __version__

from .const import DOMAIN
from .runtime import VieneuConfigEntry


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register the section."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    entries: list[VieneuConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if not entries:
        return {"version": __version__}
    status = entries[0].runtime_data.coordinator.data.status
    facts: dict[str, Any] = {
        "version": __version__,
        "mode": status.mode.value,
        "active": status.active,
    }
    for backend in status.backends:
        facts[backend.name] = backend.state.value
    return facts
