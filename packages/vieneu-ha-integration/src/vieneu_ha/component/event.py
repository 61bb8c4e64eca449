"""The event entity: what has happened to the backends, for automations and the logbook."""

from __future__ import annotations

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.router import (
    BackendSwitched,
    BudgetWarning,
    FailedBack,
    FailedOver,
    RemoteLost,
    RouterEvent,
    SessionExpired,
    SessionExpiring,
)

from .coordinator import VieneuConfigEntry
from .entity import VieneuEntity

PARALLEL_UPDATES = 0
TYPES: dict[type[RouterEvent], str] = {
    FailedOver: "failed_over",
    FailedBack: "failed_back",
    RemoteLost: "remote_lost",
    SessionExpiring: "session_expiring",
    SessionExpired: "session_expired",
    BudgetWarning: "budget_warning",
    BackendSwitched: "backend_switched",
}
HAPPENED = EventEntityDescription(
    key="backend_event", translation_key="backend_event", event_types=list(TYPES.values())
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the event entity."""
    async_add_entities([BackendEvent(entry.runtime_data, HAPPENED)])


class BackendEvent(VieneuEntity, EventEntity):
    """What has happened."""

    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_on_router_event(self._on_event))

    @callback
    def _on_event(self, event: RouterEvent) -> None:
        if (kind := TYPES.get(type(event))) is not None:
            self._trigger_event(kind, attributes_of(event))
            self.async_write_ha_state()


def attributes_of(event: RouterEvent) -> dict[str, str | float]:
    """Return what an automation may want to know of an event."""
    told: dict[str, str | float] = {}
    match event:
        case FailedOver(from_backend=before, to_backend=after, cause=cause):
            reason = {"reason": cause.detail} if cause is not None else {}
            told = {"from_backend": before, "to_backend": after, **reason}
        case FailedBack(from_backend=before, to_backend=after):
            told = {"from_backend": before, "to_backend": after}
        case RemoteLost(cause=cause):
            told = {"reason": cause.detail, "remedy": cause.remedy}
        case SessionExpiring(remaining_s=left):
            told = {"remaining_minutes": round(left / 60)}
        case BudgetWarning(used=used):
            told = {"used_percent": round(100 * used)}
        case BackendSwitched(mode=mode):
            told = {"mode": mode.value}
    return told
