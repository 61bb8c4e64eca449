"""Binary sensors: whether the backends are ready, and whether a fallback speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.router import Mode

from .coordinator import VieneuData
from .entity import PartOfColab, VieneuEntity, async_add_described
from .runtime import VieneuConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class VieneuBinarySensorDescription(BinarySensorEntityDescription, PartOfColab):
    """Description of a binary sensor."""

    is_on_fn: Callable[[VieneuData], bool]


def _is_ready(data: VieneuData, name: str) -> bool:
    backend = data.status.backend(name)
    return backend is not None and backend.state.ready


BINARY_SENSORS: tuple[VieneuBinarySensorDescription, ...] = (
    VieneuBinarySensorDescription(
        key="local_ready",
        translation_key="local_ready",
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda data: _is_ready(data, Mode.LOCAL),
    ),
    VieneuBinarySensorDescription(
        key="remote_connected",
        translation_key="remote_connected",
        of_colab=True,
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        is_on_fn=lambda data: _is_ready(data, Mode.REMOTE),
    ),
    VieneuBinarySensorDescription(
        key="fallback_active",
        translation_key="fallback_active",
        device_class=BinarySensorDeviceClass.PROBLEM,
        is_on_fn=lambda data: data.status.fallback_active,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors."""
    coordinator = entry.runtime_data.coordinator
    async_add_described(
        entry,
        Platform.BINARY_SENSOR,
        BINARY_SENSORS,
        lambda row: VieneuBinarySensor(coordinator, row),
        async_add_entities,
    )


class VieneuBinarySensor(VieneuEntity, BinarySensorEntity):
    """A binary sensor."""

    entity_description: VieneuBinarySensorDescription

    @property
    def is_on(self) -> bool:
        """State of the sensor."""
        return self.entity_description.is_on_fn(self.coordinator.data)
