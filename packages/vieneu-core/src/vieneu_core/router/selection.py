"""Which backends may speak a request, and in which order. Pure: no state, no waiting."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

LAST_RESORT = "last_resort"
"""Name of the embedded voice that is always there."""

_CHARACTERS_PER_SECOND = 12.0
"""Vietnamese read aloud at speed 1: 12 to 15 characters a second; the slow end, to be safe."""


class Mode(StrEnum):
    """The admin's choice of the place that gets requests. Says nothing about its health."""

    LOCAL = "local"
    REMOTE = "remote"


BACKENDS = (Mode.LOCAL.value, Mode.REMOTE.value, LAST_RESORT)
"""Names of all backends that a router may have."""


def candidates(mode: Mode, fallbacks: Collection[str], present: Collection[str]) -> tuple[str, ...]:
    """Return the names to be asked, in order: the admin's choice, then the stand-ins.

    The choice comes first even where it is not present, so that its absence is reported.
    """
    others = (name for name in fallbacks if name != mode.value and name in present)
    return (mode.value, *others)


def estimated_seconds(sentences: tuple[str, ...], speed: float) -> float:
    """Estimate how long these sentences are when spoken, in seconds; rather too long."""
    return sum(map(len, sentences)) / _CHARACTERS_PER_SECOND / speed
