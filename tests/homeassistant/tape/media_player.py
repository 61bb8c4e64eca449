"""The player: it resolves, fetches over HTTP, and keeps each piece in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homeassistant.components import media_source
from homeassistant.components.media_player import (
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
    async_process_play_media_url,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Set up one player."""
    async_add_entities([TapePlayer()])


class TapePlayer(MediaPlayerEntity):
    """Plays into files of the configuration folder: tape-0.mp3, tape-1.mp3 …"""

    _attr_name = "Tape"
    _attr_unique_id = "tape"
    _attr_should_poll = False
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY_MEDIA | MediaPlayerEntityFeature.VOLUME_SET
    )
    _attr_state = MediaPlayerState.IDLE
    _attr_volume_level = 0.3
    _n_played = 0

    async def async_play_media(
        self, media_type: MediaType | str, media_id: str, **kwargs: Any
    ) -> None:
        """Fetch what shall be played, to its end."""
        if media_source.is_media_source_id(media_id):
            media_id = (
                await media_source.async_resolve_media(self.hass, media_id, self.entity_id)
            ).url
        url = async_process_play_media_url(self.hass, media_id)
        self._attr_state = MediaPlayerState.PLAYING
        self.async_write_ha_state()
        number, self._n_played = self._n_played, self._n_played + 1
        async with async_get_clientsession(self.hass).get(url) as answer:
            data = await answer.read()
            kind = answer.content_type.rpartition("/")[2]
        path = Path(self.hass.config.path(f"tape-{number}.{kind}"))
        await self.hass.async_add_executor_job(path.write_bytes, data)
        self._attr_state = MediaPlayerState.IDLE
        self.async_write_ha_state()

    async def async_set_volume_level(self, volume: float) -> None:
        """Be as loud as that."""
        self._attr_volume_level = volume
        self.async_write_ha_state()
