"""Events of the backends on Home Assistant's bus, for automations and the logbook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from homeassistant.const import ATTR_DEVICE_ID, CONF_TYPE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from vieneu_core.router import (
    BackendSwitched,
    BackendTooSlow,
    FailedBack,
    FailedOver,
    LocalLost,
    QuotaWarning,
    RemoteLost,
    RouterEvent,
    SentenceSkipped,
    SessionExpired,
    SessionExpiring,
)

from .coordinator import VieneuCoordinator
from .error_translation import translated_error

EVENT: Final = "vieneu_event"
"""Event type on Home Assistant's bus, for device triggers and the logbook."""
TYPES: Final[dict[type[RouterEvent], str]] = {
    FailedOver: "failed_over",
    FailedBack: "failed_back",
    LocalLost: "local_lost",
    RemoteLost: "remote_lost",
    SessionExpiring: "session_expiring",
    SessionExpired: "session_expired",
    QuotaWarning: "budget_warning",
    BackendSwitched: "backend_switched",
    BackendTooSlow: "backend_too_slow",
    SentenceSkipped: "sentence_skipped",
}


@callback
def async_fire_events(hass: HomeAssistant, coordinator: VieneuCoordinator) -> Callable[[], None]:
    """Fire each event on the bus. Returns a function that unsubscribes."""
    devices = dr.async_get(hass)
    entry_id = coordinator.config_entry.entry_id

    @callback
    def on_event(event: RouterEvent) -> None:
        kind = TYPES.get(type(event))
        if kind is None:
            return
        for device in dr.async_entries_for_config_entry(devices, entry_id):  # the only one
            data = {ATTR_DEVICE_ID: device.id, CONF_TYPE: kind}
            hass.bus.async_fire(EVENT, {**data, **attributes_of(hass, event)})

    return coordinator.async_on_router_event(on_event)


def attributes_of(hass: HomeAssistant, event: RouterEvent) -> dict[str, str | float]:
    """Return the data of an event, with texts in the language of Home Assistant."""
    known: dict[str, str | float] = {}
    match event:
        case FailedOver(from_backend=before, to_backend=after, cause=cause):
            known = {"from_backend": before, "to_backend": after}
            if cause is not None:
                known["reason"] = translated_error(hass, cause)["detail"]
        case FailedBack(from_backend=before, to_backend=after):
            known = {"from_backend": before, "to_backend": after}
        case LocalLost(cause=cause) | RemoteLost(cause=cause):
            texts = translated_error(hass, cause)
            known = {"reason": texts["detail"], "remedy": texts["remedy"]}
        case SessionExpiring(remaining_s=left):
            known = {"remaining_minutes": round(left / 60)}
        case QuotaWarning(used=used):
            known = {"used_percent": round(100 * used)}
        case BackendSwitched(mode=mode):
            known = {"mode": mode.value}
        case BackendTooSlow(backend=backend, real_time_factor=factor):
            known = {"backend": backend, "real_time_factor": round(factor, 2)}
        case SentenceSkipped(sentence=index, cause=cause):
            reason = translated_error(hass, cause)["detail"]
            known = {"sentence": index + 1, "reason": reason}
    return known
