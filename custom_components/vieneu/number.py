"""Number entities: speed of speech, and pause between sentences."""

from __future__ import annotations

from homeassistant.components.number import NumberEntity, NumberEntityDescription, NumberMode
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.synthesis import MAX_SPEED, MIN_SPEED

from .const import CONF_PAUSE, CONF_SPEED, DEFAULT_PAUSE, DEFAULT_SPEED, MAX_PAUSE
from .entity import VieneuEntity
from .options import async_store
from .runtime import VieneuConfigEntry

PARALLEL_UPDATES = 0
DEFAULTS = {CONF_SPEED: DEFAULT_SPEED, CONF_PAUSE: DEFAULT_PAUSE}
NUMBERS: tuple[NumberEntityDescription, ...] = (
    NumberEntityDescription(
        key=CONF_SPEED,
        translation_key=CONF_SPEED,
        entity_category=EntityCategory.CONFIG,
        native_min_value=MIN_SPEED,
        native_max_value=MAX_SPEED,
        native_step=0.05,
        mode=NumberMode.SLIDER,
    ),
    NumberEntityDescription(
        key=CONF_PAUSE,
        translation_key=CONF_PAUSE,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        native_min_value=0,
        native_max_value=MAX_PAUSE,
        native_step=0.05,
        mode=NumberMode.SLIDER,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the numbers."""
    async_add_entities(VieneuNumber(entry.runtime_data.coordinator, row) for row in NUMBERS)


class VieneuNumber(VieneuEntity, NumberEntity):
    """An option that is a number."""

    @property
    def native_value(self) -> float:
        """Value of the option."""
        key = self.entity_description.key
        return float(self.coordinator.config_entry.options.get(key, DEFAULTS[key]))

    async def async_set_native_value(self, value: float) -> None:
        """Set the value, from the next speech on."""
        entry = self.coordinator.config_entry
        async_store(self.hass, entry, **{self.entity_description.key: value})
