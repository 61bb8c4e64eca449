"""Notification about each outage of the server, dismissed when it is back."""

from __future__ import annotations

from collections.abc import Callable

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback

from vieneu_core.router import Mode, RemoteLost, RouterEvent

from .const import DOMAIN
from .coordinator import VieneuCoordinator
from .error_translation import message, translated_error

NOTIFICATION = f"{DOMAIN}_remote_lost"


@callback
def async_watch(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Notify of each outage once. Returns a function that unsubscribes."""

    @callback
    def on_event(event: RouterEvent) -> None:
        if isinstance(event, RemoteLost):
            text = message(hass, "exceptions", "remote_lost.message", "{detail}")
            text = text.format(**translated_error(hass, event.cause))
            persistent_notification.async_create(hass, text, "VieNeu", NOTIFICATION)

    @callback
    def settle() -> None:
        remote = coordinator.data.status.backend(Mode.REMOTE)
        if remote is None or remote.state.ready:
            async_clear(hass)

    ends = (coordinator.async_on_router_event(on_event), coordinator.async_add_listener(settle))

    @callback
    def end() -> None:
        for each in ends:
            each()

    return end


@callback
def async_clear(hass: HomeAssistant) -> None:
    """Dismiss the notification, if there is one."""
    persistent_notification.async_dismiss(hass, NOTIFICATION)
