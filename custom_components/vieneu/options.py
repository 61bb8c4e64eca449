"""Options of an entry, read when needed and written without a reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from vieneu_core.errors import InvalidRequestError
from vieneu_core.translatable import Translatable

from .const import (
    CONF_DICTIONARY,
    CONF_FALLBACK,
    CONF_FALLBACK_ENTITY,
    CONF_KEEP_SPEECH,
    CONF_PAUSE,
    CONF_SPEED,
    CONF_VOICE,
    DEFAULT_PAUSE,
    DEFAULT_SPEED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOptions:
    """Defaults for requests."""

    voice: str | None
    speed: float
    pause_s: float
    fallback: bool
    dictionary: str
    """Text of the user's dictionary."""
    fallback_entity: str | None
    keep_speech: bool

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of an entry."""
        return cls(
            voice=options.get(CONF_VOICE) or None,
            speed=options.get(CONF_SPEED, DEFAULT_SPEED),
            pause_s=options.get(CONF_PAUSE, DEFAULT_PAUSE),
            fallback=options.get(CONF_FALLBACK, True),
            dictionary=options.get(CONF_DICTIONARY, ""),
            fallback_entity=options.get(CONF_FALLBACK_ENTITY) or None,
            keep_speech=options.get(CONF_KEEP_SPEECH, True),
        )


def number_of(given: Mapping[str, Any], key: str, default: float) -> float:
    """Return an option that is a number.

    Raises:
        InvalidRequestError: it has another type.
    """
    try:
        return float(given.get(key, default))
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(
            Translatable("The option {key} is not a number: {given!r}.", key=key, given=given[key])
        ) from error


@callback
def async_store(hass: HomeAssistant, entry: ConfigEntry, **changes: Any) -> None:
    """Write some options; `entry_update.async_follow` updates the entities that show them."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, **changes})
