"""Announcements on players, one after another, and restoring of each player."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from homeassistant.components.media_player import (
    ATTR_MEDIA_ANNOUNCE,
    ATTR_MEDIA_CONTENT_ID,
    ATTR_MEDIA_CONTENT_TYPE,
    ATTR_MEDIA_SEEK_POSITION,
    ATTR_MEDIA_VOLUME_LEVEL,
    SERVICE_PLAY_MEDIA,
    MediaPlayerState,
    MediaType,
)
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.components.tts import ResultStream
from homeassistant.const import ATTR_ENTITY_ID, SERVICE_MEDIA_SEEK, SERVICE_VOLUME_SET
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.event import async_track_state_change_event

from vieneu_core.audio.decode import decode_clip

from .announce_targets import ASSIST_SATELLITE, AnnounceTargets, is_satellite
from .const import DOMAIN
from .error_translation import reason_of
from .player_snapshot import PlayerSnapshot
from .player_turns import PlayerTurns

_LOGGER = logging.getLogger(__name__)
LAG_S = 5.0
"""Seconds after the end of the speech until the volume is restored although the player is still
``playing``: it started late, or continues with its music."""
LONGEST_S = 1800.0
ANSWER_S = 60.0
"""Seconds beyond the speech within which a player's integration has to answer a call."""
LOUDER_S = 5.0
"""Seconds within which players have to change their volume before speech begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What is announced, and how."""

    begin: Callable[[], Awaitable[ResultStream]]
    """Starts the speech. Called when the players are free: Home Assistant discards speech that is
    not fetched for some minutes."""
    text: str
    """Shown by satellites with a screen."""
    volume: float | None = None
    """Volume of media players, 0 to 1; None keeps the current one."""
    urgent: bool = False
    """Whether it goes before other announcements that wait for a player."""


class Announcer:
    """Plays announcements on players, one after another on each player.

    Args:
        hass: Home Assistant.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._turns = PlayerTurns()

    async def announce(
        self, announcement: Announcement, targets: AnnounceTargets, context: Context
    ) -> float:
        """Speak on the players, and wait until the end.

        Args:
            announcement: What is announced.
            targets: The players.
            context: Context of the action call.

        Returns:
            The duration of the speech, in seconds.

        Raises:
            ServiceValidationError: a player is not available, the others have spoken; or there is
                none at all.
            HomeAssistantError: the speech failed, or a player refused it; the others have spoken.
        """
        seconds = 0.0
        if targets.players:
            seconds = await self._speak(announcement, targets.players, context)
        elif not targets.absent:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_players")
        if targets.absent:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="players_absent",
                translation_placeholders={"players": ", ".join(targets.absent)},
            )
        return seconds

    async def _speak(
        self, announcement: Announcement, players: Sequence[str], context: Context
    ) -> float:
        async with AsyncExitStack() as turns:
            for player in players:  # sorted: always in the same order, to avoid deadlocks
                turn = self._turns.turn(player, urgent=announcement.urgent)
                await turns.enter_async_context(turn)
            stream = await announcement.begin()
            audio: AsyncIterator[bytes] = stream.async_stream_result()
            volume = announcement.volume
            if volume is not None:  # music that plays must not be louder before there is speech
                audio = await _begun(audio)
            before = {
                player: PlayerSnapshot.of(self._hass.states.get(player))
                for player in players
                if not is_satellite(player)
            }
            try:
                if volume is not None:
                    await self._each(
                        self._set_volume(player, volume, context, within_s=LOUDER_S)
                        for player in before
                    )
                return await self._play(stream, audio, announcement.text, players, context)
            finally:
                await self._each(
                    self._restore(player, was, context, volume=volume is not None)
                    for player, was in before.items()
                )

    async def _play(
        self,
        stream: ResultStream,
        audio: AsyncIterator[bytes],
        text: str,
        players: Sequence[str],
        context: Context,
    ) -> float:
        # One call per player: a call for all fails if one of them does not support it.
        limits = [asyncio.timeout(LONGEST_S + ANSWER_S) for _ in players]
        playing = [
            self._hass.async_create_task(self._play_on(player, stream, text, context, limit))
            for player, limit in zip(players, limits, strict=True)
        ]
        # The same audio again, from Home Assistant's memory: it gives the duration, and failures of
        # the voice, which a player does not report.
        began_s, data = 0.0, b""
        try:
            async for piece in audio:
                began_s = began_s or self._hass.loop.time()
                data += piece
        except Exception:
            _end_within(limits, ANSWER_S)
            await self._outcomes(playing)
            raise
        clip = await self._hass.async_add_executor_job(
            lambda: decode_clip(data, max_seconds=LONGEST_S)
        )
        _end_within(limits, clip.seconds + ANSWER_S)
        failures = [error for error in await self._outcomes(playing) if error is not None]
        if len(failures) < len(players):
            await asyncio.sleep(max(0.0, began_s + clip.seconds - self._hass.loop.time()))
            with suppress(TimeoutError):
                async with asyncio.timeout(LAG_S):
                    await self._silent(players)
        if failures:
            raise failures[0]
        return clip.seconds

    async def _play_on(
        self, player: str, stream: ResultStream, text: str, context: Context, limit: asyncio.Timeout
    ) -> None:
        play = self._announce_on if is_satellite(player) else self._play_media_on
        try:
            async with limit:
                await play(player, stream, text, context)
        except Exception as error:  # another integration's code: whatever it raises, it failed
            _LOGGER.debug("%s failed", player, exc_info=True)
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="player_failed",
                translation_placeholders={"player": player, "reason": reason_of(error)},
            ) from error

    async def _announce_on(
        self, player: str, stream: ResultStream, text: str, context: Context
    ) -> None:
        data = {
            ATTR_ENTITY_ID: player,
            "message": text,
            "media_id": stream.url,
            "preannounce": False,  # a chime is a part of the speech
        }
        await self._hass.services.async_call(
            ASSIST_SATELLITE, "announce", data, blocking=True, context=context
        )

    async def _play_media_on(
        self, player: str, stream: ResultStream, _text: str, context: Context
    ) -> None:
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
                _LOGGER.warning("A media player failed: %s", reason_of(error))

    async def _restore(
        self, player: str, was: PlayerSnapshot, context: Context, *, volume: bool
    ) -> None:
        if volume and was.volume is not None:
            await self._each([self._set_volume(player, was.volume, context, within_s=ANSWER_S)])
        async with asyncio.timeout(ANSWER_S):  # others wait for their turn
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

    async def _set_volume(
        self, player: str, volume: float, context: Context, *, within_s: float
    ) -> None:
        async with asyncio.timeout(within_s):
            await self._call(
                SERVICE_VOLUME_SET,
                context,
                {ATTR_ENTITY_ID: player, ATTR_MEDIA_VOLUME_LEVEL: volume},
            )

    async def _call(self, action: str, context: Context, data: dict[str, Any]) -> None:
        await self._hass.services.async_call(
            MEDIA_PLAYER, action, data, blocking=True, context=context
        )


async def _begun(audio: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Wait for the first piece of audio; return all of it."""
    first = await anext(audio, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in audio:
            yield piece

    return whole()


def _end_within(limits: Iterable[asyncio.Timeout], seconds: float) -> None:
    """Let calls end within so many seconds from now; those that have ended stay as they are."""
    for limit in limits:
        with suppress(RuntimeError):
            limit.reschedule(asyncio.get_running_loop().time() + seconds)
