"""Steps through the dialogs, as an admin takes them."""

from __future__ import annotations

import asyncio
from typing import Any

from guard import GUARD_S
from homeassistant import config_entries
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
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


async def tried(hass: HomeAssistant, flow: Flow) -> Flow:
    """Wait until what is being tried has failed, or is saved; return the form or the result."""
    manager = hass.config_entries.flow
    async with asyncio.timeout(GUARD_S):
        while flow["type"] is FlowResultType.SHOW_PROGRESS:
            # As the frontend, which goes on once Home Assistant has told it to: it would save the
            # entry twice for two that go on at once.
            while manager.async_get(flow["flow_id"])["step_id"] == flow["step_id"]:
                await asyncio.sleep(0.05)
            flow = await manager.async_configure(flow["flow_id"])  # type: ignore[assignment]
    return flow


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry, *choices: str) -> Flow:
    flow: Flow = await entry.start_reconfigure_flow(hass)  # type: ignore[assignment]
    for choice in choices:
        flow = await go_on(hass, flow, {"next_step_id": choice})
    return flow


async def loaded(hass: HomeAssistant) -> config_entries.ConfigEntry[Any]:
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_loaded_entries("vieneu")
    return entry
