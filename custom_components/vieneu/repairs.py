"""Fix flow of a lost server, which opens the form for its new address."""

from __future__ import annotations

from typing import cast

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.components.repairs.const import FlowType
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN


class RemoteLostFlow(RepairsFlow):
    """Opens the reconfigure flow."""

    def __init__(self, entry_id: str) -> None:
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Start the flow."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for confirmation, then open the form."""
        if user_input is None:
            issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
            placeholders = issue.translation_placeholders if issue is not None else None
            return self.async_show_form(step_id="confirm", description_placeholders=placeholders)
        flow = await self.hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": self._entry_id}
        )
        result = self.async_create_entry(data={})
        result["next_flow"] = (FlowType.CONFIG_FLOW, flow["flow_id"])
        return result


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow that fixes an issue."""
    # Every issue here has data; only the lost server is fixable.
    return RemoteLostFlow(cast("dict[str, str]", data)["entry_id"])
