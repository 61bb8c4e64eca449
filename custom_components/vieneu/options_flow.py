"""Options flow; the device's entities change the same options."""

from __future__ import annotations

from collections.abc import Mapping
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
    TextSelector,
    TextSelectorConfig,
)

from vieneu_core.i18n import translated
from vieneu_core.synthesis import MAX_SPEED, MIN_SPEED
from vieneu_core.text import UserDictionary

from .const import (
    CONF_DICTIONARY,
    CONF_FALLBACK,
    CONF_FALLBACK_ENTITY,
    CONF_KEEP_SPEECH,
    CONF_PAUSE,
    CONF_SPEED,
    MAX_DICTIONARY_CHARS,
    MAX_PAUSE,
)
from .entity_backend import is_own
from .error_translation import language_of
from .options import SpeechOptions

MOST_LINES_SHOWN = 5


class VieneuOptionsFlow(OptionsFlow):
    """Sets speed, pause, fallback, the cache of speech and the user's dictionary."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options; what is wrong is named, and nothing is saved."""
        options: Mapping[str, Any] = self.config_entry.options
        errors: dict[str, str] = {}
        lines = ""
        if user_input is not None:
            # The form leaves out what is empty.
            given = {**options, CONF_FALLBACK_ENTITY: None, CONF_DICTIONARY: "", **user_input}
            text = given[CONF_DICTIONARY]
            dictionary = await self.hass.async_add_executor_job(UserDictionary.parse, text)
            if given[CONF_FALLBACK_ENTITY] and is_own(self.hass, given[CONF_FALLBACK_ENTITY]):
                errors[CONF_FALLBACK_ENTITY] = "own_entity"
            if len(text) > MAX_DICTIONARY_CHARS:
                errors[CONF_DICTIONARY] = "dictionary_too_long"
            elif dictionary.bad_lines:
                errors[CONF_DICTIONARY] = "dictionary_lines"
                lines = self._described(dictionary)
            if not errors:
                return await self._save(given, dictionary)
            options = given
        return self.async_show_form(
            step_id="init",
            data_schema=_schema(SpeechOptions.of(options), self._own_entities()),
            errors=errors,
            description_placeholders={"lines": lines, "most": str(MAX_DICTIONARY_CHARS)},
        )

    async def _save(self, given: dict[str, Any], dictionary: UserDictionary) -> ConfigFlowResult:
        """Keep the options, and apply at once those that the router has."""
        if self.config_entry.state is ConfigEntryState.LOADED:
            router = self.config_entry.runtime_data.router
            router.set_fallback(enabled=given[CONF_FALLBACK])
            await router.reading.use(dictionary)
        for name in (CONF_DICTIONARY, CONF_FALLBACK_ENTITY):
            if not given[name]:
                del given[name]
        return self.async_create_entry(data=given)

    def _described(self, dictionary: UserDictionary) -> str:
        language = language_of(self.hass)
        bad = dictionary.bad_lines[:MOST_LINES_SHOWN]
        return " ".join(f"{each.line}: {translated(each.reason, language)}" for each in bad)

    def _own_entities(self) -> list[str]:
        """Return our own entities: one of them would ask itself."""
        registry = er.async_get(self.hass)
        entries = er.async_entries_for_config_entry(registry, self.config_entry.entry_id)
        return [entry.entity_id for entry in entries if entry.domain == TTS_DOMAIN]


def _schema(options: SpeechOptions, own_entities: list[str]) -> vol.Schema:
    return vol.Schema(
        {
            vol.Required(CONF_SPEED, default=options.speed): NumberSelector(
                NumberSelectorConfig(min=MIN_SPEED, max=MAX_SPEED, step=0.05)
            ),
            vol.Required(CONF_PAUSE, default=options.pause_s): NumberSelector(
                NumberSelectorConfig(min=0, max=MAX_PAUSE, step=0.05, unit_of_measurement="s")
            ),
            vol.Required(CONF_FALLBACK, default=options.fallback): BooleanSelector(),
            # Suggested, not defaults: a field that was emptied is not sent.
            vol.Optional(
                CONF_FALLBACK_ENTITY, description={"suggested_value": options.fallback_entity}
            ): EntitySelector(
                EntitySelectorConfig(domain=TTS_DOMAIN, exclude_entities=own_entities)
            ),
            vol.Required(CONF_KEEP_SPEECH, default=options.keep_speech): BooleanSelector(),
            vol.Optional(
                CONF_DICTIONARY, description={"suggested_value": options.dictionary}
            ): TextSelector(TextSelectorConfig(multiline=True)),
        }
    )
