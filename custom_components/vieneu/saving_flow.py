"""Forms of the config flow with their errors, and saving of what was entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import probatio as vol
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)

from vieneu_core.router import Mode

from .config_forms import PLACEHOLDERS
from .const import CONF_COLAB, CONF_KIND, CONF_LOCAL, CONF_MODE, CONF_SERVERS, DOMAIN, LocalKind
from .reauth_end import async_end_reauth_of_replaced
from .validation import Failure

TITLE = "VieNeu"


class SavingFlow(ConfigFlow):
    """Shows forms, and creates or changes the only entry."""

    def _form(
        self,
        step_id: str,
        failure: Failure | None,
        schema: vol.Schema | None = None,
        suggested: Mapping[str, Any] | None = None,
        *,
        placeholders: Mapping[str, str] | None = None,
    ) -> ConfigFlowResult:
        """Show the form of a step with the user's input and the error."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema and self.add_suggested_values_to_schema(schema, suggested),
            errors={"base": failure.key} if failure else {},
            description_placeholders={
                **PLACEHOLDERS,
                **(placeholders or {}),
                **(failure.placeholders if failure else {}),
            },
        )

    async def _save(self, changes: dict[str, Any]) -> ConfigFlowResult:
        """Create the entry, or change the existing one; None removes a key."""
        if self.source in {SOURCE_REAUTH, SOURCE_RECONFIGURE}:
            entry = (
                self._get_reauth_entry()
                if self.source == SOURCE_REAUTH
                else self._get_reconfigure_entry()
            )
            data = {**entry.data, **changes}
            data = {key: value for key, value in data.items() if value is not None}
            is_loaded = entry.state is ConfigEntryState.LOADED
            if is_loaded and data == dict(entry.data):
                for mode in _saved(changes):
                    entry.runtime_data.coordinator.async_check_now(mode)
            if self.source == SOURCE_RECONFIGURE:
                async_end_reauth_of_replaced(self.hass, entry, data)
            done = self.async_update_and_abort(entry, data=data)
            if not is_loaded:
                # `async_update_reload_and_abort` does not support entries with a listener, and a
                # running reload may still have one: the entry is updated explicitly.
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
            return done
        await self.async_set_unique_id(DOMAIN)
        self._abort_if_unique_id_configured()
        local = {CONF_LOCAL: {CONF_KIND: LocalKind.EMBEDDED.value}}
        # An admin who sets up Colab first expects it to speak.
        mode = Mode.REMOTE if CONF_COLAB in changes else Mode.LOCAL
        return self.async_create_entry(
            title=TITLE, data={**local, **changes}, options={CONF_MODE: mode.value}
        )


def _saved(changes: Mapping[str, Any]) -> list[Mode]:
    """Return the backends of the saved settings."""
    return [mode for mode, key in CONF_SERVERS.items() if key in changes]
