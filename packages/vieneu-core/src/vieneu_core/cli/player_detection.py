"""Supported player programs, and detection of the installed ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from vieneu_core.errors import PlayerError
from vieneu_core.players import PLAYERS
from vieneu_core.translatable import Translatable


@dataclass(frozen=True, slots=True)
class Player:
    """A program that plays raw signed 16-bit mono samples from standard input."""

    name: str
    arguments: Callable[[int], list[str]]
    """Arguments for a sample rate in Hz."""
    refusals: tuple[str, ...] = ()
    """Outputs of a player that plays nothing and still exits with code 0."""


KNOWN_PLAYERS = {
    player.name: player
    for player in (
        Player(
            "pw-cat",
            lambda hz: [
                *("--playback", "--raw", "--format", "s16"),
                *("--rate", str(hz), "--channels", "1", "-"),
            ],
        ),
        Player("paplay", lambda hz: ["--raw", "--format=s16le", f"--rate={hz}", "--channels=1"]),
        Player(
            "aplay",
            lambda hz: ["-q", "-t", "raw", "-f", "S16_LE", "-r", str(hz), "-c", "1", "-"],
        ),
        Player(
            "ffplay",
            lambda hz: [
                *("-nodisp", "-autoexit", "-loglevel", "error"),
                *("-f", "s16le", "-ar", str(hz), "-i", "-"),
            ],
            refusals=("audio open failed", "Failed to open file", "SDL advised"),
        ),
    )
}


def installed_players() -> tuple[str, ...]:
    """Return the usable players, best first.

    Raises:
        PlayerError: no player is installed.
    """
    found = tuple(name for name in PLAYERS if shutil.which(name))
    if not found:
        raise PlayerError(
            Translatable(
                "There is no player on this machine ({players}).", players=", ".join(PLAYERS)
            )
        )
    return found
