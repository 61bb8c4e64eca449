"""Logbook entries of the events of the backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import CONF_TYPE
from homeassistant.core import Event, HomeAssistant, callback

from .bus_events import EVENT
from .const import DOMAIN
from .error_translation import message

EVENT_TYPES = "event.backend_event.state_attributes.event_type.state"


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Register the function that describes an event."""

    @callback
    def describe(event: Event) -> dict[str, Any]:
        kind = event.data[CONF_TYPE]
        text = message(hass, "entity", f"{EVENT_TYPES}.{kind}", kind)
        reason = event.data.get("reason")
        return {
            LOGBOOK_ENTRY_NAME: "VieNeu",
            LOGBOOK_ENTRY_MESSAGE: f"{text}: {reason}" if reason else text,
        }

    async_describe_event(DOMAIN, EVENT, describe)
