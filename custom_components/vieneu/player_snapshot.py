"""State of a media player before an announcement, to which it returns afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from homeassistant.components.media_player import (
    ATTR_MEDIA_CONTENT_ID,
    ATTR_MEDIA_CONTENT_TYPE,
    ATTR_MEDIA_POSITION,
    ATTR_MEDIA_POSITION_UPDATED_AT,
    ATTR_MEDIA_VOLUME_LEVEL,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.const import ATTR_SUPPORTED_FEATURES
from homeassistant.core import State
from homeassistant.util import dt as dt_util


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerSnapshot:
    """State of a player before the announcement."""

    volume: float | None
    played: str | None = None
    """Media that it played, if it cannot resume them itself."""
    kind: str = MediaType.MUSIC
    position_s: float | None = None
    """Position in the media in seconds, if the player can seek."""

    @classmethod
    def of(cls, state: State | None) -> Self:
        """Take the snapshot from the player's state."""
        if state is None:
            return cls(volume=None)
        attributes = state.attributes
        volume = attributes.get(ATTR_MEDIA_VOLUME_LEVEL)
        features = MediaPlayerEntityFeature(attributes.get(ATTR_SUPPORTED_FEATURES, 0))
        played = attributes.get(ATTR_MEDIA_CONTENT_ID)
        if (
            state.state != MediaPlayerState.PLAYING
            or MediaPlayerEntityFeature.MEDIA_ANNOUNCE in features
            or played is None
            or _is_speech(played)  # an announcement is not repeated
        ):
            return cls(volume=volume)
        return cls(
            volume=volume,
            played=played,
            kind=attributes.get(ATTR_MEDIA_CONTENT_TYPE, MediaType.MUSIC),
            position_s=_position_s(attributes)
            if MediaPlayerEntityFeature.SEEK in features
            else None,
        )


def _is_speech(content_id: str) -> bool:
    return "/api/tts_proxy/" in content_id or content_id.startswith("media-source://tts/")


def _position_s(attributes: Any) -> float | None:
    position, since = (
        attributes.get(ATTR_MEDIA_POSITION),
        attributes.get(ATTR_MEDIA_POSITION_UPDATED_AT),
    )
    if position is None or not isinstance(since, datetime):
        return None
    return float(position) + (dt_util.utcnow() - since).total_seconds()
