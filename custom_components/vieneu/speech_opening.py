"""Lead-in and chime of an announcement, from the options of its request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from homeassistant.components import media_source
from homeassistant.components.media_player import async_process_play_media_url
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from vieneu_core.audio import MAX_LEAD_IN_S, Clip, Opening, decode_clip

from .const import ATTR_CHIME, ATTR_LEAD_IN, OWN_CHIME
from .error_translation import reason_of
from .options import number_of

_LOGGER = logging.getLogger(__name__)
MAX_CHIME_BYTES: Final = 4 << 20
MAX_CHIME_S: Final = 10.0
WITHIN_S: Final = 3.0
"""Longest wait for a chime from another source than the folder of media, in seconds."""


async def async_opening(hass: HomeAssistant, options: Mapping[str, Any]) -> Opening:
    """Return what is heard before the speech. A chime that cannot be had never delays it for long.

    Raises:
        InvalidRequestError: an option is not a number.
    """
    lead_in_s = min(max(number_of(options, ATTR_LEAD_IN, 0.0), 0.0), MAX_LEAD_IN_S)
    chime = options.get(ATTR_CHIME)
    clip = None
    if isinstance(chime, str) and chime != OWN_CHIME:
        clip = await _clip(hass, chime)
    return Opening(lead_in_s=lead_in_s, chime=bool(chime), clip=clip)


async def _clip(hass: HomeAssistant, media_id: str) -> Clip | None:
    """Return the sound of a media source, decoded; None if it cannot be had."""
    try:
        async with asyncio.timeout(WITHIN_S):
            data = await _data_of(hass, media_id)
        return await hass.async_add_executor_job(lambda: decode_clip(data, max_seconds=MAX_CHIME_S))
    except Exception as error:  # noqa: BLE001 - of anybody's media source; the words matter more
        _LOGGER.warning("The chime %s cannot be played: %s", media_id, reason_of(error))
        return None


async def _data_of(hass: HomeAssistant, media_id: str) -> bytes:
    if not media_source.is_media_source_id(media_id):
        raise HomeAssistantError("It is no id of a media source.")
    media = await media_source.async_resolve_media(hass, media_id, None)
    if media.path is not None:
        return await hass.async_add_executor_job(_beginning_of, media.path)
    return await _fetched(hass, async_process_play_media_url(hass, media.url))


def _beginning_of(path: Path) -> bytes:
    """Read a file, up to one byte more than allowed. Blocking."""
    with path.open("rb") as file:
        return _bounded(file.read(MAX_CHIME_BYTES + 1))


async def _fetched(hass: HomeAssistant, url: str) -> bytes:
    session, data = async_get_clientsession(hass), b""
    async with session.get(url) as response:
        response.raise_for_status()
        async for part in response.content.iter_any():
            data = _bounded(data + part)
    return data


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_CHIME_BYTES:
        raise HomeAssistantError(f"It has more than {MAX_CHIME_BYTES} bytes.")
    return data
