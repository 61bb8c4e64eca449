"""A player's process: writes samples to it, and detects whether it really plays."""

from __future__ import annotations

import asyncio
import os
from typing import Self

from vieneu_core.cli.player_detection import Player
from vieneu_core.cli.stdio import lines_of, room_in, unread
from vieneu_core.process_end import end_process
from vieneu_core.translatable import Translatable, joined

STARTS_WITHIN_S = 10.0
"""A player that reads nothing for so long is waiting for a missing sound card."""
_STOP_S = 2.0
_LAST_WORDS_S = 1.0
_NOISE = "ALSA lib "
"""Prefix of messages of the ALSA library, which it prints for each device that it tries."""


class PlayerProcess:
    """A running player. Created by `start`; the creator calls `stop`.

    A pipe holds more than many announcements, so a successful write does not show that it plays.
    The unread bytes in the pipe do: our read end stays open to count them.
    """

    def __init__(
        self, player: Player, process: asyncio.subprocess.Process, ends: tuple[int, int]
    ) -> None:
        self._player = player
        self._process = process
        self._read_end, self._write_end = ends
        self._written = self._left_over = 0
        self._stuck = False
        self._refusal = self._complaint = ""
        self._ended = asyncio.create_task(process.wait(), name="player-end")
        self._listening = asyncio.create_task(self._listen(), name="player-messages")

    @classmethod
    async def start(cls, player: Player, sample_rate_hz: int) -> Self:
        """Start a player.

        Raises:
            OSError: the system cannot start it.
        """
        ends = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                player.name,
                *player.arguments(sample_rate_hz),
                stdin=ends[0],
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                process_group=0,  # Ctrl-C goes to this process only, which ends the player in order
            )
        except BaseException:
            for end in ends:
                os.close(end)
            raise
        os.set_blocking(ends[1], False)
        return cls(player, process, ends)

    @property
    def has_begun(self) -> bool:
        """True if some of the speech may have been played."""
        return self._taken > 0 and not self._refusal

    @property
    def reason(self) -> str:
        """Output of a stopped player that explains why it did not play."""
        if self._stuck:
            return Translatable(
                "{player}: read no samples for {starts_within_s:.0f} s",
                player=self._player.name,
                starts_within_s=STARTS_WITHIN_S,
            )
        said = self._refusal or self._complaint
        said = said.removeprefix(f"{self._player.name}: ").strip()
        ended = Translatable(
            "{player}: exit code {returncode}",
            player=self._player.name,
            returncode=self._process.returncode,
        )
        return joined(", ", (ended, said)) if said else ended

    async def feed(self, pcm: bytes) -> bool:
        """Write samples; wait while the pipe is full. Return False if it does not play."""
        rest = memoryview(pcm)
        while rest:
            if self._ended.done():
                return False
            try:
                n_bytes = os.write(self._write_end, rest)
            except BlockingIOError:
                await self._until_room()
                if self._stuck:
                    return False
            else:
                self._written += n_bytes
                rest = rest[n_bytes:]
        return True

    async def until_unfit(self) -> None:
        """Wait until it has ended, or has read nothing for too long."""
        await self._wait_for(self._ended)

    async def finish(self) -> bool:
        """Wait until all has been played. Return False if it was not."""
        self._close_write_end()
        await self._wait_for(self._ended)
        if self._stuck:
            return False
        await self._listened()
        whole = self._taken == self._written and not self._refusal
        return whole and self._process.returncode == 0

    async def stop(self) -> None:
        """End it at once and read its output; without effect after `finish`."""
        try:
            self._close_write_end()
            await end_process(self._process, timeout_s=_STOP_S)
            await asyncio.wait((self._ended,))
            await self._listened()
        finally:
            self._listening.cancel()
            self._close_read_end()

    @property
    def _taken(self) -> int:
        """Bytes that the player has read."""
        return self._written - (self._left_over if self._read_end < 0 else unread(self._read_end))

    async def _until_room(self) -> None:
        room = asyncio.create_task(room_in(self._write_end))
        try:
            await self._wait_for(room, self._ended)
        finally:
            room.cancel()
            await asyncio.wait((room,))

    async def _wait_for(self, *events: asyncio.Task[int] | asyncio.Task[None]) -> None:
        """Wait for one of the events, but not for a player that never begins."""
        first = asyncio.FIRST_COMPLETED
        done, _ = await asyncio.wait(events, timeout=STARTS_WITHIN_S, return_when=first)
        if not done and self._taken == 0:
            self._stuck = True
        elif not done:
            await asyncio.wait(events, return_when=first)

    async def _listen(self) -> None:
        if self._process.stderr is None:  # pragma: no cover - it is a pipe, as asked for in start
            return
        async for line in lines_of(self._process.stderr):
            if any(refusal in line for refusal in self._player.refusals):
                self._refusal = self._refusal or line
            elif not line.startswith(_NOISE):
                self._complaint = self._complaint or line

    async def _listened(self) -> None:
        """Wait for its last output; a child process of it may keep the pipe open for longer."""
        await asyncio.wait((self._listening,), timeout=_LAST_WORDS_S)

    def _close_read_end(self) -> None:
        if self._read_end >= 0:
            self._left_over = unread(self._read_end)
            os.close(self._read_end)
            self._read_end = -1

    def _close_write_end(self) -> None:
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1
