"""Activity of an engine: whether it has been silent for longer than it usually is."""

from __future__ import annotations

from collections import deque

from vieneu_core.clock import Clock

_N_SENTENCES = 20
_FEWEST_SENTENCES = 3
_LEAST_S = 1.0
_FACTOR = 2.0


class Activity:
    """Signs of an engine while it speaks, whoever reads its audio.

    Args:
        clock: Clock of the worker.
        longest_s: Longest silence of an engine that works, in seconds; applies until enough is
            known about this one.
    """

    def __init__(self, clock: Clock, *, longest_s: float) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._silences: deque[float] = deque(maxlen=_N_SENTENCES)
        self._at = clock.monotonic()
        self._longest_now = 0.0

    @property
    def silent_s(self) -> float:
        """Seconds since the last sign."""
        return self._clock.monotonic() - self._at

    @property
    def usual(self) -> bool:
        """Whether the current silence is not much longer than those of recent sentences."""
        return self.silent_s <= self._limit_s()

    def begin(self) -> None:
        """Record the beginning of a sentence."""
        self._at, self._longest_now = self._clock.monotonic(), 0.0

    def sign(self) -> None:
        """Record that the engine sent something."""
        self._longest_now = max(self._longest_now, self.silent_s)
        self._at = self._clock.monotonic()

    def end(self) -> None:
        """Record the end of a sentence."""
        self.sign()
        self._silences.append(self._longest_now)

    def _limit_s(self) -> float:
        if len(self._silences) < _FEWEST_SENTENCES:
            return self._longest_s
        return min(max(_LEAST_S, _FACTOR * max(self._silences)), self._longest_s)
