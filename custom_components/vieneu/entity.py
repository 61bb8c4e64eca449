"""Base class of all entities."""

from __future__ import annotations

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from vieneu_core import __version__

from .const import DOMAIN
from .coordinator import VieneuCoordinator


class VieneuEntity(CoordinatorEntity[VieneuCoordinator]):
    """An entity of the only device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: VieneuCoordinator, description: EntityDescription) -> None:
        super().__init__(coordinator)
        self.entity_description = description
        entry = coordinator.config_entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = device_info(entry.entry_id)

    @property
    def available(self) -> bool:
        """Always True: an unreachable backend is a state, not a missing state."""
        return True


def device_info(entry_id: str) -> DeviceInfo:
    """Return the device that all entities belong to."""
    return DeviceInfo(
        identifiers={(DOMAIN, entry_id)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer="VieNeu Relay",
        model="Vietnamese text-to-speech",
        name="VieNeu",
        sw_version=__version__,
    )
