"""End of the dialog for a token that is no longer needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback

from vieneu_core.router import Mode

from .const import CONF_SERVERS, REAUTH_STEPS


@callback
def async_end_reauth(hass: HomeAssistant, entry: ConfigEntry, mode: Mode) -> None:
    """End the dialog for the token of a backend, if it is open."""
    for flow in list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})):
        # One that has not shown its first form yet has no step.
        if REAUTH_STEPS.get(flow.get("step_id", "")) is mode:
            hass.config_entries.flow.async_abort(flow["flow_id"])


@callback
def async_end_reauth_of_replaced(
    hass: HomeAssistant, entry: ConfigEntry, data: Mapping[str, Any]
) -> None:
    """End the dialogs for the tokens of servers that are not in the entry's new data."""
    for mode, key in CONF_SERVERS.items():
        if _url_of(entry.data, key) != _url_of(data, key):
            async_end_reauth(hass, entry, mode)


def _url_of(data: Mapping[str, Any], key: str) -> str | None:
    url: str | None = data.get(key, {}).get(CONF_URL)
    return url
