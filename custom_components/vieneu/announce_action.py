"""The action that announces a text on players."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import probatio as vol
from homeassistant.components.tts import ATTR_VOICE, ResultStream, async_create_stream
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er

from vieneu_core.audio import MAX_LEAD_IN_S
from vieneu_core.synthesis import MAX_SPEED, MIN_SPEED

from .announce_targets import async_targets
from .announcer import Announcement, Announcer
from .const import (
    ATTR_CACHE,
    ATTR_CHIME,
    ATTR_LEAD_IN,
    ATTR_SPEED,
    DOMAIN,
    LANGUAGES,
    NOT_KEPT,
    OWN_CHIME,
)
from .entity import unique_id_of
from .runtime import VieneuConfigEntry

LONGEST_SET_UP_S = 60.0
ATTR_TEXT: Final = "text"
ATTR_VOLUME: Final = "volume"
ATTR_LANGUAGE: Final = "language"
ATTR_PRIORITY: Final = "priority"
ATTR_KEEP: Final = "cache"
PRIORITIES: Final = ("normal", "high")


def _chime(value: object) -> str | None:
    """Return the chime of a call: this integration's, the id of a media, or None.

    Raises:
        Invalid: it is neither true or false, nor a text, nor what a media selector gives.
    """
    if isinstance(value, Mapping):
        value = value.get("media_content_id")
    if isinstance(value, bool):
        return OWN_CHIME if value else None
    return cv.string(value) or None


ANNOUNCE = vol.All(
    vol.Schema(
        {
            **cv.ENTITY_SERVICE_FIELDS,
            vol.Optional(ATTR_ENTITY_ID): cv.entity_ids,
            vol.Required(ATTR_TEXT): vol.All(cv.string, vol.Length(min=1)),
            vol.Optional(ATTR_VOICE): cv.string,
            vol.Optional(ATTR_LANGUAGE): vol.In(LANGUAGES),
            vol.Optional(ATTR_SPEED): vol.All(
                vol.Coerce(float), vol.Range(min=MIN_SPEED, max=MAX_SPEED)
            ),
            vol.Optional(ATTR_VOLUME): vol.All(vol.Coerce(float), vol.Range(min=0, max=1)),
            vol.Optional(ATTR_CHIME): _chime,
            vol.Optional(ATTR_LEAD_IN): vol.All(
                vol.Coerce(float), vol.Range(min=0, max=MAX_LEAD_IN_S)
            ),
            vol.Optional(ATTR_PRIORITY, default="normal"): vol.In(PRIORITIES),
            vol.Optional(ATTR_KEEP, default=True): cv.boolean,
        }
    ),
    cv.has_at_least_one_key(*cv.ENTITY_SERVICE_FIELDS),
)


def loaded_entry(hass: HomeAssistant) -> VieneuConfigEntry:
    """Return the only entry.

    Raises:
        ServiceValidationError: there is none, or it is not loaded.
    """
    entries: list[VieneuConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if entries:
        return entries[0]
    is_set_up = bool(hass.config_entries.async_entries(DOMAIN, include_ignore=False))
    key = "not_loaded" if is_set_up else "not_set_up"
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


async def async_announce(announcer: Announcer, call: ServiceCall) -> ServiceResponse:
    """Speak on players, and wait until the speech has ended."""

    async def begin() -> ResultStream:
        stream = async_create_stream(
            call.hass,
            await _tts_entity(call.hass),
            language=call.data.get(ATTR_LANGUAGE),
            options=_options(call.data),
        )
        stream.use_file_cache &= call.data[ATTR_KEEP]
        stream.async_set_message(call.data[ATTR_TEXT])
        return stream

    announcement = Announcement(
        begin=begin,
        text=call.data[ATTR_TEXT],
        volume=call.data.get(ATTR_VOLUME),
        urgent=call.data[ATTR_PRIORITY] == "high",
    )
    targets = async_targets(call.hass, call.data)
    seconds = await announcer.announce(announcement, targets, call.context)
    return {"seconds": round(seconds, 2)}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    wanted = (ATTR_VOICE, ATTR_SPEED, ATTR_CHIME, ATTR_LEAD_IN)
    options = {key: given[key] for key in wanted if given.get(key) is not None}
    if not given[ATTR_KEEP]:
        options[ATTR_CACHE] = f"{NOT_KEPT} {uuid4()}"
    return options


async def _tts_entity(hass: HomeAssistant) -> str:
    """Return the id of the text-to-speech entity; wait for a running set-up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SET_UP_S):
            while _is_being_set_up(hass):  # noqa: ASYNC110 - Home Assistant has no event for it
                await asyncio.sleep(0.1)
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.TTS, DOMAIN, unique_id_of(loaded_entry(hass), "tts")
    )
    if entity_id is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_set_up")
    return entity_id


def _is_being_set_up(hass: HomeAssistant) -> bool:
    transient = {ConfigEntryState.SETUP_IN_PROGRESS, ConfigEntryState.UNLOAD_IN_PROGRESS}
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return any(entry.state in transient or entry.setup_lock.locked() for entry in entries)
