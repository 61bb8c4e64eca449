"""One notification for each time that the server is lost; it goes when the server is back."""

from __future__ import annotations

from collections.abc import Callable

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from vieneu_core.router import Mode, RemoteLost, RouterEvent

from .const import DOMAIN
from .coordinator import VieneuCoordinator
from .error_translation import language_of, translated_error

NOTIFICATION = f"{DOMAIN}_remote_lost"
WORDS = f"component.{DOMAIN}.exceptions.remote_lost.message"


@callback
def async_watch(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Tell of each outage once from now on; the answer ends that."""

    @callback
    def on_event(event: RouterEvent) -> None:
        if isinstance(event, RemoteLost):
            words = async_get_cached_translations(hass, hass.config.language, "exceptions", DOMAIN)
            said = words.get(WORDS, "{detail}").format(
                **translated_error(event.cause, language_of(hass))
            )
            persistent_notification.async_create(hass, said, "VieNeu", NOTIFICATION)

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
    """Take it back; where there is none, nothing happens."""
    persistent_notification.async_dismiss(hass, NOTIFICATION)
