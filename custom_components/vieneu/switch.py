"""Switch of the automatic fallback."""

from __future__ import annotations

from typing import Any

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_FALLBACK
from .entity import VieneuEntity
from .options import SpeechOptions, async_store
from .runtime import VieneuConfigEntry

PARALLEL_UPDATES = 0
FALLBACK = SwitchEntityDescription(
    key=CONF_FALLBACK, translation_key=CONF_FALLBACK, entity_category=EntityCategory.CONFIG
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the switch."""
    async_add_entities([FallbackSwitch(entry.runtime_data.coordinator, FALLBACK)])


class FallbackSwitch(VieneuEntity, SwitchEntity):
    """Whether another backend speaks when the selected one fails."""

    @property
    def is_on(self) -> bool:
        """Whether the fallback is on."""
        return SpeechOptions.of(self.coordinator.config_entry.options).fallback

    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn the fallback on."""
        await self._set(enabled=True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn the fallback off: if the selected backend fails, the request fails."""
        await self._set(enabled=False)

    async def _set(self, *, enabled: bool) -> None:
        self.coordinator.router.set_fallback(enabled=enabled)
        async_store(self.hass, self.coordinator.config_entry, **{CONF_FALLBACK: enabled})
        await self.coordinator.async_refresh()
