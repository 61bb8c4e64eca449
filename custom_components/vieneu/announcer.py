"""Announcements on media players, one after another, and restoring of each player."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from homeassistant.components.media_player import (
    ATTR_MEDIA_ANNOUNCE,
    ATTR_MEDIA_CONTENT_ID,
    ATTR_MEDIA_CONTENT_TYPE,
    ATTR_MEDIA_POSITION,
    ATTR_MEDIA_POSITION_UPDATED_AT,
    ATTR_MEDIA_SEEK_POSITION,
    ATTR_MEDIA_VOLUME_LEVEL,
    SERVICE_PLAY_MEDIA,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.components.tts import ResultStream
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_MEDIA_SEEK,
    SERVICE_VOLUME_SET,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from vieneu_core.audio.decode import decode_clip

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)
LAG_S = 5.0
"""Seconds after the end of the speech until the volume is restored although the player is still
``playing``: it started late, or continues with its music."""
LONGEST_S = 1800.0


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


class Announcer:
    """Plays announcements on players, one after another on each player.

    Args:
        hass: Home Assistant.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def announce(
        self,
        begin: Callable[[], Awaitable[ResultStream]],
        players: Sequence[str],
        *,
        volume: float | None,
        context: Context,
    ) -> float:
        """Speak on the players, and wait until the end.

        Args:
            begin: Starts the speech. Called when the players are free: Home Assistant discards
                speech that is not fetched for some minutes.
            players: Entity ids.
            volume: Volume of the announcement, 0 to 1; None keeps the current one.
            context: Context of the action call.

        Returns:
            The duration of the speech, in seconds.

        Raises:
            ServiceValidationError: a player is not available; the others have spoken.
            HomeAssistantError: the speech failed, or a player refused it; the others have spoken.
        """
        available = [player for player in dict.fromkeys(players) if self._is_available(player)]
        seconds = await self._speak(begin, available, volume, context) if available else 0.0
        if absent := [player for player in players if player not in available]:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="players_absent",
                translation_placeholders={"players": ", ".join(absent)},
            )
        return seconds

    def _is_available(self, player: str) -> bool:
        state = self._hass.states.get(player)
        return state is not None and state.state != STATE_UNAVAILABLE

    async def _speak(
        self,
        begin: Callable[[], Awaitable[ResultStream]],
        players: Sequence[str],
        volume: float | None,
        context: Context,
    ) -> float:
        async with AsyncExitStack() as turns:
            for player in sorted(players):  # always in the same order, to avoid deadlocks
                await turns.enter_async_context(self._turns[player])
            stream = await begin()
            before = {
                player: PlayerSnapshot.of(self._hass.states.get(player)) for player in players
            }
            try:
                if volume is not None:
                    await self._each(
                        self._set_volume(player, volume, context) for player in players
                    )
                return await self._play(stream, players, context)
            finally:
                await self._each(
                    self._restore(player, was, context, volume=volume is not None)
                    for player, was in before.items()
                )

    async def _play(self, stream: ResultStream, players: Sequence[str], context: Context) -> float:
        # One call per player: a call for all fails if one of them does not support it.
        playing = [
            self._hass.async_create_task(self._play_on(player, stream, context))
            for player in players
        ]
        # The same audio again, from Home Assistant's memory: it gives the duration, and failures of
        # the voice, which a player does not report.
        began_s, data = 0.0, b""
        try:
            async for piece in stream.async_stream_result():
                began_s = began_s or self._hass.loop.time()
                data += piece
        except Exception:
            await self._outcomes(playing)
            raise
        clip = await self._hass.async_add_executor_job(
            lambda: decode_clip(data, max_seconds=LONGEST_S)
        )
        failures = [error for error in await self._outcomes(playing) if error is not None]
        if len(failures) < len(players):
            await asyncio.sleep(max(0.0, began_s + clip.seconds - self._hass.loop.time()))
            with suppress(TimeoutError):
                async with asyncio.timeout(LAG_S):
                    await self._silent(players)
        if failures:
            raise failures[0]
        return clip.seconds

    async def _play_on(self, player: str, stream: ResultStream, context: Context) -> None:
        await self._call(
            SERVICE_PLAY_MEDIA,
            context,
            {
                ATTR_ENTITY_ID: player,
                ATTR_MEDIA_CONTENT_ID: stream.media_source_id,
                ATTR_MEDIA_CONTENT_TYPE: MediaType.MUSIC,
                # A player with this feature resumes its media afterwards.
                ATTR_MEDIA_ANNOUNCE: True,
            },
        )

    @staticmethod
    async def _outcomes(tasks: Sequence[asyncio.Task[None]]) -> list[Exception | None]:
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return [each if isinstance(each, Exception) else None for each in outcomes]

    async def _silent(self, players: Sequence[str]) -> None:
        """Wait until no player is playing."""
        changed = asyncio.Event()

        @callback
        def on_change(_: Event[EventStateChangedData]) -> None:
            changed.set()

        end = async_track_state_change_event(self._hass, players, on_change)
        try:
            while any(self._hass.states.is_state(p, MediaPlayerState.PLAYING) for p in players):
                changed.clear()
                await changed.wait()
        finally:
            end()

    @staticmethod
    async def _each(calls: Iterable[Awaitable[None]]) -> None:
        """Await all calls; a failure is logged, and does not stop the others."""
        for error in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(error, Exception):
                _LOGGER.warning("A media player failed: %s", error)

    async def _restore(
        self, player: str, was: PlayerSnapshot, context: Context, *, volume: bool
    ) -> None:
        if volume and was.volume is not None:
            await self._each([self._set_volume(player, was.volume, context)])
        if was.played is not None:
            await self._call(
                SERVICE_PLAY_MEDIA,
                context,
                {
                    ATTR_ENTITY_ID: player,
                    ATTR_MEDIA_CONTENT_ID: was.played,
                    ATTR_MEDIA_CONTENT_TYPE: was.kind,
                },
            )
        if was.position_s is not None:
            await self._call(
                SERVICE_MEDIA_SEEK,
                context,
                {ATTR_ENTITY_ID: player, ATTR_MEDIA_SEEK_POSITION: was.position_s},
            )

    async def _set_volume(self, player: str, volume: float, context: Context) -> None:
        await self._call(
            SERVICE_VOLUME_SET,
            context,
            {ATTR_ENTITY_ID: player, ATTR_MEDIA_VOLUME_LEVEL: volume},
        )

    async def _call(self, action: str, context: Context, data: dict[str, Any]) -> None:
        await self._hass.services.async_call(
            MEDIA_PLAYER, action, data, blocking=True, context=context
        )
