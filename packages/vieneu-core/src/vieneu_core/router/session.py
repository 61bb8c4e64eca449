"""The clock of a remote session: it ends (a Colab runtime lives for up to 12 hours).

The server reports how many seconds remain by its own monotonic clock; here they are counted down by
ours. No wall clock is compared with another machine's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vieneu_core.arguments import check_not_negative, items_of, refuse
from vieneu_core.clock import Clock

_NEW_SESSION_S = 60.0
"""A jump of the remaining time upwards by more than this is a new session, not jitter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """When an admin is warned of the end, and from when on long speech starts elsewhere."""

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
        """Seconds until the session ends, not below 0; None where it has no known end."""
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
            # A session met late is announced once, by the nearest mark that it has passed.
            self._passed.discard(min(self._passed, default=math.inf))
        elif longer:
            return  # an ended session that still answers says 0 for ever
        self._ends_at = ends_at

    def forget(self) -> None:
        """Forget the session: there is none, or another backend has come."""
        self._ends_at = None
        self._passed.clear()

    def due(self) -> float | None:
        """Return the mark (seconds before the end) that has just been passed, once each."""
        remaining = self.remaining_s
        if remaining is None:
            return None
        passed = [mark for mark in self._marks if remaining <= mark and mark not in self._passed]
        if not passed:
            return None
        self._passed.update(passed)
        return min(passed)

    def next_due_in_s(self) -> float:
        """Return the seconds until the next mark is passed; infinite where none is ahead."""
        remaining = self.remaining_s
        if remaining is None:
            return math.inf
        ahead = [remaining - mark for mark in self._marks if mark not in self._passed]
        return max(0.0, min(ahead, default=math.inf))

    def has_time_for(self, seconds: float) -> bool:
        """Return whether speech of this length may still start there."""
        remaining = self.remaining_s
        if remaining is None or remaining > self._policy.careful_from_s:
            return True
        return seconds < remaining

    @property
    def _marks(self) -> tuple[float, ...]:
        return (*self._policy.warn_at_s, 0.0)
