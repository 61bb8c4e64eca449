"""Options flow; the device's entities change the same options."""

from __future__ import annotations

from typing import Any

import probatio as vol
from homeassistant.components.tts import DOMAIN as TTS_DOMAIN
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
)

from vieneu_core.synthesis import MAX_SPEED, MIN_SPEED

from .const import (
    CONF_FALLBACK,
    CONF_FALLBACK_ENTITY,
    CONF_KEEP_SPEECH,
    CONF_PAUSE,
    CONF_SPEED,
    MAX_PAUSE,
)
from .entity_backend import is_own
from .options import SpeechOptions


class VieneuOptionsFlow(OptionsFlow):
    """Sets speed, pause, automatic fallback, and the cache of speech."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options."""
        errors: dict[str, str] = {}
        entity = (user_input or {}).get(CONF_FALLBACK_ENTITY)
        if entity is not None and is_own(self.hass, entity):
            errors[CONF_FALLBACK_ENTITY] = "own_entity"
        if user_input is not None and not errors:
            if self.config_entry.state is ConfigEntryState.LOADED:
                router = self.config_entry.runtime_data.router
                router.set_fallback(enabled=user_input[CONF_FALLBACK])
            kept = dict(self.config_entry.options)
            kept.pop(CONF_FALLBACK_ENTITY, None)  # the form leaves out what is empty
            return self.async_create_entry(data={**kept, **user_input})
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
                vol.Optional(
                    CONF_FALLBACK_ENTITY,
                    description={"suggested_value": options.fallback_entity},
                ): EntitySelector(
                    EntitySelectorConfig(domain=TTS_DOMAIN, exclude_entities=self._own_entities())
                ),
                vol.Required(CONF_KEEP_SPEECH, default=options.keep_speech): BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
        )

    def _own_entities(self) -> list[str]:
        """Return our own entities: one of them would ask itself."""
        registry = er.async_get(self.hass)
        entries = er.async_entries_for_config_entry(registry, self.config_entry.entry_id)
        return [entry.entity_id for entry in entries if entry.domain == TTS_DOMAIN]
