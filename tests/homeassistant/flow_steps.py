"""Steps through the dialogs, as an admin takes them."""

from __future__ import annotations

from typing import Any

from homeassistant import config_entries
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

Flow = dict[str, Any]


async def begin(hass: HomeAssistant, *choices: str) -> Flow:
    """Open the dialog, and choose in its menus."""
    flow: Flow = await hass.config_entries.flow.async_init(  # type: ignore[assignment]
        "vieneu", context={"source": config_entries.SOURCE_USER}
    )
    for choice in choices:
        flow = await go_on(hass, flow, {"next_step_id": choice})
    return flow


async def go_on(hass: HomeAssistant, flow: Flow, given: dict[str, Any]) -> Flow:
    result: Flow = await hass.config_entries.flow.async_configure(  # type: ignore[assignment]
        flow["flow_id"], given
    )
    return result


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry, *choices: str) -> Flow:
    flow: Flow = await entry.start_reconfigure_flow(hass)  # type: ignore[assignment]
    for choice in choices:
        flow = await go_on(hass, flow, {"next_step_id": choice})
    return flow


async def loaded(hass: HomeAssistant) -> config_entries.ConfigEntry[Any]:
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_loaded_entries("vieneu")
    return entry
