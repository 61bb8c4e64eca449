"""What a report of a fault holds: everything but secrets and addresses."""

from __future__ import annotations

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant

from vieneu_core import __version__

from .const import CONF_WEBHOOK
from .coordinator import VieneuConfigEntry

TO_REDACT = {CONF_TOKEN, CONF_URL, CONF_WEBHOOK}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: VieneuConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a house."""
    data = entry.runtime_data.data
    return {
        "version": __version__,
        "entry": async_redact_data(
            {"data": dict(entry.data), "options": dict(entry.options)}, TO_REDACT
        ),
        "status": _without_hosts(data.status.to_json(), _hosts(entry)),
        "voices": [voice.id for voice in data.voices],
    }


def _hosts(entry: VieneuConfigEntry) -> list[str]:
    """Return the host names that errors may quote."""
    parts = [part for part in entry.data.values() if isinstance(part, dict)]
    urls = [part[CONF_URL] for part in parts if CONF_URL in part]
    return [url.partition("://")[2].partition("/")[0] for url in urls]


def _without_hosts(value: Any, hosts: list[str]) -> Any:
    if isinstance(value, str):
        for host in hosts:
            value = value.replace(host, "**REDACTED**")
        return value
    if isinstance(value, dict):
        return {key: _without_hosts(item, hosts) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_hosts(item, hosts) for item in value]
    return value
