"""Options flow; the device's entities change the same options."""

from __future__ import annotations

from typing import Any

import probatio as vol
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
)

from vieneu_core.synthesis import MAX_SPEED, MIN_SPEED

from .const import (
    CONF_FALLBACK,
    CONF_PAUSE,
    CONF_SPEED,
    MAX_PAUSE,
)
from .options import SpeechOptions


class VieneuOptionsFlow(OptionsFlow):
    """Sets speed, pause and automatic fallback."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options."""
        if user_input is not None:
            if self.config_entry.state is ConfigEntryState.LOADED:
                router = self.config_entry.runtime_data.router
                router.set_fallback(enabled=user_input[CONF_FALLBACK])
            return self.async_create_entry(data={**self.config_entry.options, **user_input})
        options = SpeechOptions.of(self.config_entry.options)
        schema = vol.Schema(
            {
                vol.Required(CONF_SPEED, default=options.speed): NumberSelector(
                    NumberSelectorConfig(min=MIN_SPEED, max=MAX_SPEED, step=0.05)
                ),
                vol.Required(CONF_PAUSE, default=options.pause_s): NumberSelector(
                    NumberSelectorConfig(min=0, max=MAX_PAUSE, step=0.05, unit_of_measurement="s")
                ),
                vol.Required(CONF_FALLBACK, default=options.fallback): BooleanSelector(),
            }
        )
        return self.async_show_form(step_id="init", data_schema=schema)
