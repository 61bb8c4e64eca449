"""Notification about each outage of a backend, dismissed when it is back."""

from __future__ import annotations

from collections.abc import Callable

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback

from vieneu_core.backends.base import BackendState
from vieneu_core.router import LocalLost, Mode, RemoteLost, RouterEvent

from .const import DOMAIN
from .coordinator import VieneuCoordinator
from .error_translation import message
from .outages import lost_in, lost_key, outage_texts, speaks_without

_OVER = {state for state in BackendState if state.ready} | {BackendState.NOT_CONFIGURED}


@callback
def async_watch(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Notify of each outage once. Returns a function that unsubscribes."""

    @callback
    def on_event(event: RouterEvent) -> None:
        if not isinstance(event, LocalLost | RemoteLost):
            return
        backend, status = lost_in(event), coordinator.data.status
        current = status.backend(backend)
        if current is not None and current.state is BackendState.UNAUTHORIZED:
            return  # the dialog for the token says so
        key = lost_key(coordinator.config_entry, backend, event.cause)
        text = message(hass, "exceptions", f"{key}.message", "{detail}").format(
            **outage_texts(hass, event.cause), speaks=speaks_without(hass, status, backend)
        )
        persistent_notification.async_create(hass, text, "VieNeu", _id_of(backend))

    @callback
    def settle() -> None:
        for mode in Mode:
            backend = coordinator.data.status.backend(mode.value)
            if backend is None or backend.state in _OVER:
                persistent_notification.async_dismiss(hass, _id_of(mode.value))

    ends = (coordinator.async_on_router_event(on_event), coordinator.async_add_listener(settle))

    @callback
    def end() -> None:
        for each in ends:
            each()

    return end


@callback
def async_clear(hass: HomeAssistant) -> None:
    """Dismiss the notifications, if there are any."""
    for mode in Mode:
        persistent_notification.async_dismiss(hass, _id_of(mode.value))


def _id_of(backend: str) -> str:
    return f"{DOMAIN}_{backend}_lost"
