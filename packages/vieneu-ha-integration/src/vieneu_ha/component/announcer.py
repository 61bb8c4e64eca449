"""An announcement on media players, in turn; after it each player is as it was before."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
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
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from vieneu_core.audio.decode import decode_clip

from .const import DOMAIN

LAG_S = 5.0
"""So long after its last word a player may still say that it plays: it fetched late, or went on
with its music. Then its volume is put back all the same."""
LONGEST_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A player as it was before the announcement."""

    volume: float | None
    played: str | None = None
    """What it played, where it cannot go on with that by itself."""
    kind: str = MediaType.MUSIC
    position_s: float | None = None
    """Where it was in that, where it can be put back there."""

    @classmethod
    def of(cls, state: State | None) -> Self:
        """Read it off the player's state."""
        if state is None:
            return cls(volume=None)
        told = state.attributes
        features = MediaPlayerEntityFeature(told.get(ATTR_SUPPORTED_FEATURES, 0))
        if (
            state.state != MediaPlayerState.PLAYING
            or MediaPlayerEntityFeature.MEDIA_ANNOUNCE in features
        ):
            return cls(volume=told.get(ATTR_MEDIA_VOLUME_LEVEL))
        return cls(
            volume=told.get(ATTR_MEDIA_VOLUME_LEVEL),
            played=told.get(ATTR_MEDIA_CONTENT_ID),
            kind=told.get(ATTR_MEDIA_CONTENT_TYPE, MediaType.MUSIC),
            position_s=_position_s(told) if MediaPlayerEntityFeature.SEEK in features else None,
        )


def _position_s(told: Any) -> float | None:
    position, since = told.get(ATTR_MEDIA_POSITION), told.get(ATTR_MEDIA_POSITION_UPDATED_AT)
    if position is None or not isinstance(since, datetime):
        return None
    return float(position) + (dt_util.utcnow() - since).total_seconds()


class Announcer:
    """Lets one announcement after another be heard; none cuts another off.

    Args:
        hass: Has the players.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def announce(
        self,
        begin: Callable[[], ResultStream],
        players: Sequence[str],
        *,
        volume: float | None,
        context: Context,
    ) -> float:
        """Let the players speak, and wait until they have.

        Args:
            begin: Begins to speak. Called when it is this announcement's turn: Home Assistant
                forgets speech that nobody has fetched for some minutes.
            players: Entity ids.
            volume: 0 to 1, while it speaks; None leaves it as it is.
            context: Of the call.

        Returns:
            The length of what was said, in seconds.

        Raises:
            ServiceValidationError: a player is not there; the others have spoken.
            HomeAssistantError: it could not be spoken, or a player did not take it; the others
                have spoken.
        """
        there = [player for player in dict.fromkeys(players) if self._is_there(player)]
        seconds = await self._heard(begin, there, volume, context) if there else 0.0
        if absent := [player for player in players if player not in there]:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="players_absent",
                translation_placeholders={"players": ", ".join(absent)},
            )
        return seconds

    def _is_there(self, player: str) -> bool:
        state = self._hass.states.get(player)
        return state is not None and state.state != STATE_UNAVAILABLE

    async def _heard(
        self,
        begin: Callable[[], ResultStream],
        players: Sequence[str],
        volume: float | None,
        context: Context,
    ) -> float:
        async with AsyncExitStack() as turns:
            for player in sorted(players):  # in one order, so that no two wait for each other
                await turns.enter_async_context(self._turns[player])
            before = {player: Before.of(self._hass.states.get(player)) for player in players}
            try:
                if volume is not None:
                    await self._set_volumes(dict.fromkeys(players, volume), context)
                return await self._play(begin(), players, context)
            finally:
                await self._put_back(before, context, volumes=volume is not None)

    async def _play(self, stream: ResultStream, players: Sequence[str], context: Context) -> float:
        loop = self._hass.loop
        began_s = loop.time()
        refused: HomeAssistantError | None = None
        try:
            await self._call(
                SERVICE_PLAY_MEDIA,
                context,
                {
                    ATTR_ENTITY_ID: list(players),
                    ATTR_MEDIA_CONTENT_ID: stream.media_source_id,
                    ATTR_MEDIA_CONTENT_TYPE: MediaType.MUSIC,
                    # A player that can goes on afterwards with what it played.
                    ATTR_MEDIA_ANNOUNCE: True,
                },
            )
        except HomeAssistantError as error:
            if len(players) == 1:
                raise
            refused = error  # the others speak: they are not interrupted
        # The same audio once more, from Home Assistant's memory: it tells how long the players
        # need, and a failure of the voice, which a player keeps to itself.
        data = b"".join([chunk async for chunk in stream.async_stream_result()])
        clip = await self._hass.async_add_executor_job(
            lambda: decode_clip(data, max_seconds=LONGEST_S)
        )
        await asyncio.sleep(max(0.0, began_s + clip.seconds - loop.time()))
        with suppress(TimeoutError):
            async with asyncio.timeout(LAG_S):
                await self._silent(players)
        if refused is not None:
            raise refused
        return clip.seconds

    async def _silent(self, players: Sequence[str]) -> None:
        """Wait until no player plays."""
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

    async def _put_back(
        self, before: dict[str, Before], context: Context, *, volumes: bool
    ) -> None:
        if volumes:
            known = {player: was.volume for player, was in before.items() if was.volume is not None}
            await self._set_volumes(known, context)
        for player, was in before.items():
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

    async def _set_volumes(self, volumes: dict[str, float], context: Context) -> None:
        for player, volume in volumes.items():
            await self._call(
                SERVICE_VOLUME_SET,
                context,
                {ATTR_ENTITY_ID: player, ATTR_MEDIA_VOLUME_LEVEL: volume},
            )

    async def _call(self, action: str, context: Context, data: dict[str, Any]) -> None:
        await self._hass.services.async_call(
            MEDIA_PLAYER, action, data, blocking=True, context=context
        )
