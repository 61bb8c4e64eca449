"""Countdown of a remote session, which ends after a time (on Colab up to 12 hours).

The server reports the remaining seconds by its monotonic clock; here they are counted down by
the local one. Wall clocks of different machines are never compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vieneu_core.arguments import check_not_negative, items_of, refuse
from vieneu_core.clock import Clock

_NEW_SESSION_S = 60.0
"""An increase of the remaining seconds by more than this means a new session, not jitter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """When the admin is warned of the end, and when long speech is no longer started there."""

    warn_at_s: Sequence[float] = (1800.0, 300.0)
    careful_from_s: float = 600.0

    def __post_init__(self) -> None:
        check_not_negative(self)
        for mark in items_of("warn_at_s", self.warn_at_s, object, ""):
            if not isinstance(mark, float | int) or not mark >= 0:
                raise refuse("A mark in warn_at_s", mark, "a number of seconds, 0 or more")


class SessionClock:
    """Counts down one remote session after another."""

    def __init__(self, *, policy: SessionPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._ends_at: float | None = None
        self._passed: set[float] = set()

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the session ends, at least 0; None if it has no known end."""
        if self._ends_at is None:
            return None
        return max(0.0, self._ends_at - self._clock.monotonic())

    def observe(self, remaining_s: float | None) -> None:
        """Record the remaining seconds that the server reports."""
        if remaining_s is None:
            self.forget()
            return
        ends_at = self._clock.monotonic() + remaining_s
        longer = self._ends_at is not None and ends_at > self._ends_at + _NEW_SESSION_S
        if self._ends_at is None or (longer and remaining_s > _NEW_SESSION_S):
            self._passed = {mark for mark in self._marks if mark >= remaining_s > 0}
            # For a session first seen late, only the nearest passed mark is reported.
            self._passed.discard(min(self._passed, default=math.inf))
        elif longer:
            return  # an ended session that still responds reports 0 repeatedly
        self._ends_at = ends_at

    def forget(self) -> None:
        """Discard the session: there is none, or another backend."""
        self._ends_at = None
        self._passed.clear()

    def due(self) -> float | None:
        """Return the mark (seconds before the end) that was just passed, once each."""
        remaining = self.remaining_s
        if remaining is None:
            return None
        passed = [mark for mark in self._marks if remaining <= mark and mark not in self._passed]
        if not passed:
            return None
        self._passed.update(passed)
        return min(passed)

    def next_due_in_s(self) -> float:
        """Return the seconds until the next mark; infinite if there is none."""
        remaining = self.remaining_s
        if remaining is None:
            return math.inf
        ahead = [remaining - mark for mark in self._marks if mark not in self._passed]
        return max(0.0, min(ahead, default=math.inf))

    def has_time_for(self, seconds: float) -> bool:
        """Return whether speech of this length may still start in this session."""
        remaining = self.remaining_s
        if remaining is None or remaining > self._policy.careful_from_s:
            return True
        return seconds < remaining

    @property
    def _marks(self) -> tuple[float, ...]:
        return (*self._policy.warn_at_s, 0.0)
