"""Playback of speech while it arrives, through a program that is installed on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from vieneu_core.cli.player_detection import KNOWN_PLAYERS
from vieneu_core.cli.player_process import PlayerProcess
from vieneu_core.errors import PlayerError
from vieneu_core.translatable import Translatable, joined

_KEPT_BYTES = 1 << 18
"""More than a pipe holds (64 KiB) and ffplay reads before it opens the sound card (128 KiB)."""


class Playback:
    """Plays one stream of mono signed 16-bit samples.

    If a player cannot play (no sound card, no sound server), the next one gets all the audio,
    also while no new audio arrives. If one stops after it has begun, that is an error: no audio
    is played twice.
    """

    def __init__(self, players: Sequence[str], sample_rate_hz: int) -> None:
        self._untried = list(players)
        self._sample_rate_hz = sample_rate_hz
        self._player: PlayerProcess | None = None
        self._sent: bytearray | None = bytearray()
        """All samples so far, for the next player; None once a player has begun to play."""
        self._reasons: list[str] = []
        self._failure: PlayerError | None = None
        self._turn = asyncio.Lock()
        self._watcher: asyncio.Task[None] | None = None

    async def play(self, pcm: bytes) -> None:
        """Write samples to the player; wait while its pipe is full.

        Raises:
            PlayerError: no player can play.
        """
        async with self._turn:
            if self._sent is not None and len(self._sent) <= _KEPT_BYTES:
                self._sent += pcm
            else:
                self._sent = None
            if self._player is None or not await self._player.feed(pcm):
                await self._start_next()
            if self._watcher is None:
                self._watcher = asyncio.create_task(self._watch(), name="player-watch")

    async def finish(self) -> None:
        """Wait until all samples have been played.

        Raises:
            PlayerError: no player can play.
        """
        async with self._turn:
            if self._failure is not None:
                raise self._failure
            while self._player is not None and not await self._player.finish():
                await self._start_next()
            await self._stop_player()

    async def stop(self) -> None:
        """Stop at once; without effect after `finish`."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait((self._watcher,))
        await self._stop_player()

    async def _watch(self) -> None:
        """Switch to the next player if one ends while no new samples arrive."""
        while (player := self._player) is not None:
            await player.until_unfit()
            async with self._turn:
                if self._player is player:
                    with suppress(PlayerError):  # raised by the next call
                        await self._start_next()

    async def _start_next(self) -> None:
        if self._failure is None:
            await self._give_up()
        while self._untried and self._sent is not None and self._failure is None:
            name = self._untried.pop(0)
            try:
                self._player = await PlayerProcess.start(KNOWN_PLAYERS[name], self._sample_rate_hz)
            except OSError as err:
                self._reasons.append(joined(": ", (name, err.strerror or str(err))))
                continue
            if await self._player.feed(bytes(self._sent)):
                return
            await self._give_up()
        raise self._failure or self._failed("No player could play")

    async def _give_up(self) -> None:
        """End a player that does not play.

        Raises:
            PlayerError: it has already played something, so another one would repeat it.
        """
        player = self._player
        if player is None:
            return
        await self._stop_player()
        self._reasons.append(player.reason)
        if player.has_begun or self._sent is None:
            raise self._failed("The player stopped while it played")

    async def _stop_player(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            await player.stop()

    def _failed(self, what: str) -> PlayerError:
        self._failure = PlayerError(
            Translatable("{what} ({reasons}).", what=what, reasons=joined("; ", self._reasons))
        )
        return self._failure
