"""Base class of all entities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from vieneu_core import __version__

from .const import CONF_COLAB, DOMAIN
from .coordinator import VieneuCoordinator


class _Described(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def of_colab(self) -> bool: ...


D = TypeVar("D", bound=_Described)


@dataclass(frozen=True, kw_only=True)
class PartOfColab:
    """What the descriptions of all platforms have beside their own."""

    of_colab: bool = False
    """Whether the entity exists only while a server on Colab is set up."""


@callback
def async_add_described(
    entry: ConfigEntry[Any],
    domain: str,
    rows: Sequence[D],
    make: Callable[[D], Entity],
    add: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities of a table; those of Colab come and go with it, without a reload.

    Args:
        entry: The loaded entry.
        domain: The platform, such as ``sensor``.
        rows: The table.
        make: Returns the entity of a row.
        add: Adds entities to the platform.
    """
    coordinator: VieneuCoordinator = entry.runtime_data.coordinator
    of_colab = [row for row in rows if row.of_colab]
    are_there: bool | None = None

    @callback
    def settle() -> None:
        nonlocal are_there
        before, are_there = are_there, CONF_COLAB in entry.data
        if are_there == before:
            return
        if are_there:
            add([make(row) for row in of_colab])
        else:
            _remove(coordinator, domain, of_colab)

    add([make(row) for row in rows if not row.of_colab])
    settle()
    entry.async_on_unload(coordinator.async_add_listener(settle))


@callback
def _remove(coordinator: VieneuCoordinator, domain: str, rows: Iterable[_Described]) -> None:
    registry = er.async_get(coordinator.hass)
    for row in rows:
        unique_id = unique_id_of(coordinator.config_entry, row.key)
        if entity_id := registry.async_get_entity_id(domain, DOMAIN, unique_id):
            registry.async_remove(entity_id)


def unique_id_of(entry: ConfigEntry[Any], key: str) -> str:
    """Return the unique id of the entity of a description."""
    return f"{entry.entry_id}_{key}"


class VieneuEntity(CoordinatorEntity[VieneuCoordinator]):
    """An entity of the only device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: VieneuCoordinator, description: EntityDescription) -> None:
        super().__init__(coordinator)
        self.entity_description = description
        entry = coordinator.config_entry
        self._attr_unique_id = unique_id_of(entry, description.key)
        self._attr_device_info = device_info(entry.entry_id)

    @property
    def available(self) -> bool:
        """True, except for values that come from a backend (`VieneuSensor`).

        States tell of an outage, and controls and options are used during one.
        """
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
