"""Diagnostics of an entry: its state without secrets and addresses."""

from __future__ import annotations

import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from yarl import URL

from vieneu_core import __version__

from .const import CONF_DICTIONARY, CONF_WEBHOOK
from .runtime import VieneuConfigEntry

TO_REDACT = {CONF_TOKEN, CONF_URL, CONF_WEBHOOK, CONF_DICTIONARY}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: VieneuConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of an entry, also of one whose set-up failed."""
    report: dict[str, Any] = {
        "version": __version__,
        "entry": async_redact_data(
            {"data": dict(entry.data), "options": dict(entry.options)}, TO_REDACT
        ),
    }
    if entry.state is ConfigEntryState.LOADED:
        data = entry.runtime_data.coordinator.data
        report["status"] = _without_hosts(data.status.to_json(), _hosts(entry))
        report["voices"] = [voice.id for voice in data.voices]
    elif entry.reason is not None:
        report["reason"] = _without_hosts(entry.reason, _hosts(entry))
    return report


def _hosts(entry: VieneuConfigEntry) -> re.Pattern[str] | None:
    """Return a pattern of the host names that errors may contain."""
    parts = [part for part in entry.data.values() if isinstance(part, dict)]
    hosts = [URL(part[CONF_URL]).host for part in parts if CONF_URL in part]
    found = "|".join(re.escape(host) for host in hosts if host)
    return re.compile(found, re.IGNORECASE) if found else None


def _without_hosts(value: Any, hosts: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return hosts.sub(REDACTED, value) if hosts is not None else value
    if isinstance(value, dict):
        return {key: _without_hosts(item, hosts) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_hosts(item, hosts) for item in value]
    return value
