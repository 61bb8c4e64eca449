"""Buttons: test the server, load and unload the local model, disconnect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from vieneu_core.backends.base import BackendState
from vieneu_core.errors import VieneuError
from vieneu_core.router import Mode, Router

from .entity import PartOfColab, VieneuEntity, async_add_described
from .error_translation import translated
from .runtime import VieneuConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class VieneuButtonDescription(ButtonEntityDescription, PartOfColab):
    """Description of a button."""

    press_fn: Callable[[Router], Awaitable[Any]]


async def _test(router: Router) -> None:
    """Speak a sentence on the server; connect first if it was disconnected."""
    remote = router.status().backend(Mode.REMOTE)
    if remote is not None and remote.state is BackendState.UNLOADED:
        await router.load_backend(Mode.REMOTE)
    await router.probe(Mode.REMOTE)


BUTTONS: tuple[VieneuButtonDescription, ...] = (
    VieneuButtonDescription(
        key="test_connection",
        translation_key="test_connection",
        of_colab=True,
        entity_category=EntityCategory.DIAGNOSTIC,
        press_fn=_test,
    ),
    VieneuButtonDescription(
        key="load_local",
        translation_key="load_local",
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda router: router.load_backend(Mode.LOCAL),
    ),
    VieneuButtonDescription(
        key="unload_local",
        translation_key="unload_local",
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda router: router.unload_backend(Mode.LOCAL),
    ),
    VieneuButtonDescription(
        key="disconnect",
        translation_key="disconnect",
        of_colab=True,
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda router: router.unload_backend(Mode.REMOTE),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VieneuConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons."""
    coordinator = entry.runtime_data.coordinator
    async_add_described(
        entry,
        Platform.BUTTON,
        BUTTONS,
        lambda row: VieneuButton(coordinator, row),
        async_add_entities,
    )


class VieneuButton(VieneuEntity, ButtonEntity):
    """A button."""

    entity_description: VieneuButtonDescription

    async def async_press(self) -> None:
        """Run the button's action."""
        try:
            await self.entity_description.press_fn(self.coordinator.router)
        except VieneuError as error:
            raise translated(self.hass, error, "button_failed") from error
        finally:
            await self.coordinator.async_refresh()
