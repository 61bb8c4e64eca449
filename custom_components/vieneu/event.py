"""Event entity with the latest event of the backends."""

from __future__ import annotations

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.router import RouterEvent

from .bus_events import TYPES, attributes_of
from .entity import VieneuEntity
from .runtime import VieneuConfigEntry

PARALLEL_UPDATES = 0
DESCRIPTION = EventEntityDescription(
    key="backend_event", translation_key="backend_event", event_types=list(TYPES.values())
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the event entity."""
    async_add_entities([BackendEvent(entry.runtime_data.coordinator, DESCRIPTION)])


class BackendEvent(VieneuEntity, EventEntity):
    """The latest event of the backends."""

    async def async_added_to_hass(self) -> None:
        """Subscribe to the router's events."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_on_router_event(self._on_event))

    @callback
    def _on_event(self, event: RouterEvent) -> None:
        if (kind := TYPES.get(type(event))) is not None:
            self._trigger_event(kind, attributes_of(self.hass, event))
            self.async_write_ha_state()
