"""Sensors: active backend, health of the backends, measurements of the last speech."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, Platform, UnitOfInformation, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.router import LAST_RESORT, BackendStatus, Mode

from .coordinator import VieneuData
from .entity import PartOfColab, VieneuEntity, async_add_described
from .outages import is_lost
from .runtime import VieneuConfigEntry

PARALLEL_UPDATES = 0
STATES = [state.value for state in BackendState]
ANSWERING = {state for state in BackendState if state.ready} | {
    BackendState.PAUSED,
    BackendState.DRAINING,
}
"""States of a backend whose values are current."""


@dataclass(frozen=True, kw_only=True)
class VieneuSensorDescription(SensorEntityDescription, PartOfColab):
    """Description of a sensor."""

    value_fn: Callable[[VieneuData], str | int | float | datetime | None]
    attributes_fn: Callable[[VieneuData], Mapping[str, str] | None] = lambda _: None
    source_fn: Callable[[VieneuData], str | None] = lambda _: None
    """Returns the backend that the value comes from; None if it comes from this machine."""


def _backend(data: VieneuData, name: str) -> BackendStatus:
    return data.status.backend(name) or BackendStatus.absent(name)


def _remote(_: VieneuData) -> str:
    return Mode.REMOTE.value


def _of_remote(value_fn: Callable[[Health], float | None]) -> Callable[[VieneuData], float | None]:
    """Return a function that reads a value of the remote backend's health, if it is known."""

    def read(data: VieneuData) -> float | None:
        health = _backend(data, Mode.REMOTE).health
        return None if health is None else value_fn(health)

    return read


def _queue_depth(data: VieneuData) -> int | None:
    health = _backend(data, data.status.active).health
    return None if health is None else health.queue_depth


def _quota_used(data: VieneuData) -> float | None:
    remote = _backend(data, Mode.REMOTE)
    if data.status.quota is None or remote.state is BackendState.NOT_CONFIGURED:
        return None
    return round(100 * data.status.quota.used, 1)


def _error_title(data: VieneuData) -> str | None:
    return None if data.last_error is None else data.last_error.title


def _error_details(data: VieneuData) -> dict[str, str] | None:
    if data.last_error is None:
        return None
    details = asdict(data.last_error)
    del details["title"]  # the value of the sensor
    return details


SENSORS: tuple[VieneuSensorDescription, ...] = (
    VieneuSensorDescription(
        key="active_backend",
        translation_key="active_backend",
        device_class=SensorDeviceClass.ENUM,
        options=[Mode.LOCAL.value, Mode.REMOTE.value, LAST_RESORT],
        value_fn=lambda data: data.status.active,
    ),
    VieneuSensorDescription(
        key="local_state",
        translation_key="local_state",
        device_class=SensorDeviceClass.ENUM,
        options=STATES,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: _backend(data, Mode.LOCAL).state,
    ),
    VieneuSensorDescription(
        key="remote_state",
        translation_key="remote_state",
        of_colab=True,
        device_class=SensorDeviceClass.ENUM,
        options=STATES,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: _backend(data, Mode.REMOTE).state,
    ),
    VieneuSensorDescription(
        key="remote_latency",
        translation_key="remote_latency",
        of_colab=True,
        source_fn=_remote,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_remote(lambda health: health.latency_ms),
    ),
    VieneuSensorDescription(
        key="gpu_memory",
        translation_key="gpu_memory",
        of_colab=True,
        source_fn=_remote,
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.GIGABYTES,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_remote(lambda health: health.gpu_memory_used_gb),
    ),
    VieneuSensorDescription(
        key="remote_uptime",
        translation_key="remote_uptime",
        of_colab=True,
        source_fn=_remote,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.HOURS,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_remote(lambda health: health.uptime_s),
    ),
    VieneuSensorDescription(
        key="session_end",
        translation_key="session_end",
        of_colab=True,
        source_fn=_remote,
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda data: data.session_end,
    ),
    VieneuSensorDescription(
        key="tunnel_budget",
        translation_key="tunnel_budget",
        of_colab=True,
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_quota_used,
    ),
    VieneuSensorDescription(
        key="queue_depth",
        translation_key="queue_depth",
        source_fn=lambda data: data.status.active,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_queue_depth,
    ),
    VieneuSensorDescription(
        key="first_audio",
        translation_key="first_audio",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: round(data.last.first_audio_ms) if data.last else None,
    ),
    VieneuSensorDescription(
        key="real_time_factor",
        translation_key="real_time_factor",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda data: round(data.last.real_time_factor, 3) if data.last else None,
    ),
    VieneuSensorDescription(
        key="last_error",
        translation_key="last_error",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_error_title,
        attributes_fn=_error_details,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors."""
    coordinator = entry.runtime_data.coordinator
    async_add_described(
        entry,
        Platform.SENSOR,
        SENSORS,
        lambda row: VieneuSensor(coordinator, row),
        async_add_entities,
    )


class VieneuSensor(VieneuEntity, SensorEntity):
    """A sensor."""

    entity_description: VieneuSensorDescription

    @property
    def available(self) -> bool:
        """False while the backend that the value comes from does not answer."""
        data = self.coordinator.data
        source = self.entity_description.source_fn(data)
        if source is None:
            return True
        status = _backend(data, source)
        return status.state in ANSWERING and not is_lost(status)

    @property
    def native_value(self) -> str | int | float | datetime | None:
        """Value of the sensor."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    def extra_state_attributes(self) -> Mapping[str, str] | None:
        """Details of the value, if it has any."""
        return self.entity_description.attributes_fn(self.coordinator.data)
