"""Media players that note what happens to them."""

from __future__ import annotations

import asyncio
from typing import Any

from homeassistant.components.media_player import (
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

KITCHEN, BATH = "media_player.kitchen", "media_player.bath"
MUSIC = "http://radio.example/stream.mp3"
PLAIN = MediaPlayerEntityFeature.PLAY_MEDIA | MediaPlayerEntityFeature.VOLUME_SET
Noted = list[tuple[str, object]]


class Player(MediaPlayerEntity):
    """A player that plays speech for ``plays_s``, and notes what happens to it."""

    _attr_should_poll = False
    _attr_state = MediaPlayerState.IDLE
    _attr_volume_level = 0.2

    def __init__(
        self, name: str, features: MediaPlayerEntityFeature = PLAIN, *, plays_s: float = 0.0
    ) -> None:
        self._attr_name = self._attr_unique_id = name
        self._attr_supported_features = features
        self.noted: Noted = []
        self.plays_s = plays_s
        self.error: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.volume_error: HomeAssistantError | None = None

    def play_music(self, *, position: float | None = None) -> None:
        self._attr_state = MediaPlayerState.PLAYING
        self._attr_media_content_id = MUSIC
        self._attr_media_content_type = MediaType.MUSIC
        self._attr_media_position = None if position is None else int(position)
        self._attr_media_position_updated_at = dt_util.utcnow()
        self.async_write_ha_state()

    async def async_play_media(
        self, media_type: MediaType | str, media_id: str, **kwargs: Any
    ) -> None:
        if self.error is not None:
            raise self.error
        if self.hold is not None:
            await self.hold.wait()
        if not media_id.startswith("media-source://tts/"):
            self.noted.append(("plays", media_id))
            return
        assert kwargs["announce"] is True
        self.noted.append(("speaks", self._attr_volume_level))
        goes_on = self._attr_state, self._attr_media_content_id
        self._attr_state = MediaPlayerState.PLAYING
        self._attr_media_content_id = media_id
        self.async_write_ha_state()

        @callback
        def spoken() -> None:
            self.noted.append(("silent", self._attr_volume_level))
            self._attr_state = MediaPlayerState.IDLE
            if MediaPlayerEntityFeature.MEDIA_ANNOUNCE in self._attr_supported_features:
                self._attr_state, self._attr_media_content_id = goes_on
            self.async_write_ha_state()

        self.hass.loop.call_later(self.plays_s, spoken)

    async def async_set_volume_level(self, volume: float) -> None:
        if self.volume_error is not None:
            raise self.volume_error
        self.noted.append(("volume", volume))
        self._attr_volume_level = volume
        self.async_write_ha_state()

    async def async_media_seek(self, position: float) -> None:
        self.noted.append(("at", round(position)))
