"""Select entities: the backend for requests, and the default voice."""

from __future__ import annotations

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.errors import BackendError
from vieneu_core.router import Mode

from .const import CONF_COLAB, CONF_MODE, CONF_VOICE, DOMAIN
from .entity import VieneuEntity
from .error_translation import translated_error
from .options import SpeechOptions, async_store
from .runtime import VieneuConfigEntry

PARALLEL_UPDATES = 0
MODE = SelectEntityDescription(key="mode", translation_key="mode")
VOICE = SelectEntityDescription(
    key="voice", translation_key="voice", entity_category=EntityCategory.CONFIG
)
BACKENDS_OWN = "default"
"""Option for the default of the backend that speaks."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the selects."""
    coordinator = entry.runtime_data.coordinator
    async_add_entities([ModeSelect(coordinator, MODE), VoiceSelect(coordinator, VOICE)])


class ModeSelect(VieneuEntity, SelectEntity):
    """Local or Google Colab: the admin's choice, kept over a restart."""

    @property
    def options(self) -> list[str]:
        """The backends that are set up."""
        has_colab = CONF_COLAB in self.coordinator.config_entry.data
        return [mode.value for mode in Mode if mode is Mode.LOCAL or has_colab]

    @property
    def current_option(self) -> str:
        """The admin's choice, whichever backend is active."""
        return self.coordinator.data.status.mode.value

    async def async_select_option(self, option: str) -> None:
        """Route new requests there; running ones end where they began."""
        try:
            self.coordinator.router.set_mode(Mode(option))
        except BackendError as error:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key=f"{option}_not_ready",
                translation_placeholders=translated_error(self.hass, error),
            ) from error
        async_store(self.hass, self.coordinator.config_entry, **{CONF_MODE: option})
        await self.coordinator.async_refresh()


class VoiceSelect(VieneuEntity, SelectEntity):
    """The default voice, chosen among the voices of the active backend."""

    @property
    def options(self) -> list[str]:
        """The voices; the selected one stays in the list even if the active backend lacks it."""
        known = [voice.id for voice in self.coordinator.data.voices]
        current = self._chosen
        return [BACKENDS_OWN, *known, *([current] if current and current not in known else [])]

    @property
    def current_option(self) -> str:
        """The selected voice."""
        return self._chosen or BACKENDS_OWN

    async def async_select_option(self, option: str) -> None:
        """Select the voice."""
        voice = "" if option == BACKENDS_OWN else option
        async_store(self.hass, self.coordinator.config_entry, **{CONF_VOICE: voice})

    @property
    def _chosen(self) -> str | None:
        return SpeechOptions.of(self.coordinator.config_entry.options).voice
