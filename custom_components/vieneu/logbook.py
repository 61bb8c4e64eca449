"""The logbook: what has happened to the backends, in the house's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import CONF_TYPE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from .bus_events import EVENT
from .const import DOMAIN

WORDS = f"component.{DOMAIN}.entity.event.backend_event.state_attributes.event_type.state"


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Say how an event reads."""

    @callback
    def describe(event: Event) -> dict[str, Any]:
        kind = event.data[CONF_TYPE]
        words = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
        said = words.get(f"{WORDS}.{kind}", kind)
        reason = event.data.get("reason")
        message = f"{said}: {reason}" if reason else said
        return {LOGBOOK_ENTRY_NAME: "VieNeu", LOGBOOK_ENTRY_MESSAGE: message}

    async_describe_event(DOMAIN, EVENT, describe)
