"""Fix flow of a backend that cannot speak, which opens the form that repairs it."""

from __future__ import annotations

from typing import cast

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.components.repairs.const import FlowType
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN, RECONFIGURE_MENU


class FormFlow(RepairsFlow):
    """Opens a form of the reconfigure flow, or its menu."""

    def __init__(self, entry_id: str, form: str) -> None:
        self._entry_id = entry_id
        self._form = form

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
        flows = self.hass.config_entries.flow
        flow = await flows.async_init(
            DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": self._entry_id}
        )
        if self._form != RECONFIGURE_MENU:
            await flows.async_configure(flow["flow_id"], {"next_step_id": self._form})
        result = self.async_create_entry(data={})
        result["next_flow"] = (FlowType.CONFIG_FLOW, flow["flow_id"])
        return result


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow that fixes an issue."""
    # Every issue here has data, and those that are fixable have a form.
    stated = cast("dict[str, str]", data)
    return FormFlow(stated["entry_id"], stated["form"])
