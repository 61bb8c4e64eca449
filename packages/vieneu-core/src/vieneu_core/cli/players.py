"""Plays speech as it comes, through a program that this machine already has."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress

from vieneu_core.doctor import PLAYERS
from vieneu_core.errors import ConfigurationError

_ENOUGH_BYTES = 1 << 18
"""So much is kept for the next player; one that took more than this was really playing."""
_STOP_S = 2.0

_ARGUMENTS: dict[str, Callable[[int], list[str]]] = {
    "pw-cat": lambda hz: [
        *("--playback", "--raw", "--format", "s16"),
        *("--rate", str(hz), "--channels", "1", "-"),
    ],
    "paplay": lambda hz: ["--raw", "--format=s16le", f"--rate={hz}", "--channels=1"],
    "aplay": lambda hz: ["-q", "-t", "raw", "-f", "S16_LE", "-r", str(hz), "-c", "1", "-"],
    "ffplay": lambda hz: [
        *("-nodisp", "-autoexit", "-loglevel", "error"),
        *("-f", "s16le", "-ar", str(hz), "-i", "-"),
    ],
}


def installed_players() -> tuple[str, ...]:
    """Return the players that can be used here, best first.

    Raises:
        ConfigurationError: there is none.
    """
    found = tuple(name for name in PLAYERS if shutil.which(name))
    if not found:
        raise ConfigurationError(
            f"There is no player on this machine ({', '.join(PLAYERS)}).",
            remedy="Install one, or write a file: vieneu say -o FILE.wav TEXT",
        )
    return found


class Playback:
    """One stream of mono signed 16-bit samples on its way to the loudspeaker.

    A player that is there but cannot play (no sound server) ends at once: then the next one gets
    everything from the start.
    """

    def __init__(self, players: Sequence[str], sample_rate_hz: int) -> None:
        self._untried = list(players)
        self._sample_rate_hz = sample_rate_hz
        self._process: asyncio.subprocess.Process | None = None
        self._sent = bytearray()
        self._reasons: list[str] = []

    async def play(self, pcm: bytes) -> None:
        """Hand over samples; waits while the player has enough.

        Raises:
            ConfigurationError: no player can play.
        """
        if len(self._sent) <= _ENOUGH_BYTES:
            self._sent += pcm
        if self._process is None:
            await self._start_next()
        elif not await self._feed(pcm):
            await self._recover()

    async def finish(self) -> None:
        """Wait until all of it has been heard.

        Raises:
            ConfigurationError: no player can play.
        """
        while self._process is not None and not await self._ended_well(self._process):
            await self._recover()
        self._process = None

    async def stop(self) -> None:
        """Stop at once; without effect after `finish`."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _feed(self, pcm: bytes) -> bool:
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            return False
        try:
            process.stdin.write(pcm)
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    async def _recover(self) -> None:
        if self._process is not None:
            await self._explain(self._process)
        if len(self._sent) > _ENOUGH_BYTES:
            raise self._failure("The player stopped while it played")
        await self._start_next()

    async def _start_next(self) -> None:
        while self._untried:
            name = self._untried.pop(0)
            try:
                self._process = await asyncio.create_subprocess_exec(
                    name,
                    *_ARGUMENTS[name](self._sample_rate_hz),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
            except OSError as err:
                self._reasons.append(f"{name}: {err.strerror}")
                continue
            self._reasons.append(name)
            if await self._feed(bytes(self._sent)):
                return
            await self._explain(self._process)
        self._process = None
        raise self._failure("No player could play")

    async def _ended_well(self, process: asyncio.subprocess.Process) -> bool:
        if process.stdin is not None:
            process.stdin.close()
            with suppress(BrokenPipeError, ConnectionResetError):
                await process.stdin.wait_closed()
        return await process.wait() == 0

    async def _explain(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        code = await process.wait()
        self._reasons[-1] += f": exit code {code}"

    def _failure(self, what: str) -> ConfigurationError:
        return ConfigurationError(
            f"{what} ({'; '.join(self._reasons)}).",
            remedy="Check this machine's sound, or write a file: vieneu say -o FILE.wav TEXT",
        )
