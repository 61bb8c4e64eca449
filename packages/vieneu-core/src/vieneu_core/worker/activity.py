"""Activity of an engine: whether it has been silent for longer than it usually is."""

from __future__ import annotations

from collections import deque

from vieneu_core.clock import Clock

_N_SENTENCES = 20
_FEWEST_SENTENCES = 3
_LEAST_S = 1.0
_FACTOR = 2.0
_LEAST_HANG_S = 3.0
"""No engine counts as hung before: a busy machine stops its processes for a second or two."""
_HANG_FACTOR = 4.0


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
        self._silences: deque[tuple[float, int]] = deque(maxlen=_N_SENTENCES)
        """The longest silence within each of the latest sentences, and its characters."""
        self._at = clock.monotonic()
        self._longest_now = 0.0
        self._n_chars = 1
        self._doubted = False

    @property
    def silent_s(self) -> float:
        """Seconds since the last sign."""
        return self._clock.monotonic() - self._at

    @property
    def usual(self) -> bool:
        """Whether the current silence is not much longer than those of recent sentences."""
        if not self._known:
            return self.silent_s <= self._longest_s
        limit_s = max(_LEAST_S, _FACTOR * max(seconds for seconds, _ in self._silences))
        return self.silent_s <= min(limit_s, self._longest_s)

    @property
    def hang_after_s(self) -> float:
        """Seconds of silence in the current sentence after which the engine counts as hung.

        A longer sentence may take longer in proportion. The longest limit applies until enough is
        known, and after a sentence in which it counted as hung: it may have been working, on
        something that it had not done before.
        """
        if self._doubted or not self._known:
            return self._longest_s
        usual_s = max(
            seconds * max(1.0, self._n_chars / n_chars) for seconds, n_chars in self._silences
        )
        return min(max(_LEAST_HANG_S, _HANG_FACTOR * usual_s), self._longest_s)

    def begin(self, n_chars: int) -> None:
        """Record the beginning of a sentence of so many characters."""
        self._at, self._longest_now = self._clock.monotonic(), 0.0
        self._n_chars = max(1, n_chars)

    def sign(self) -> None:
        """Record that the engine sent something."""
        self._longest_now = max(self._longest_now, self.silent_s)
        self._at = self._clock.monotonic()

    def end(self) -> None:
        """Record the end of a sentence."""
        self.sign()
        self._silences.append((self._longest_now, self._n_chars))
        self._doubted = False

    def hung(self) -> None:
        """Record that the engine counted as hung in the current sentence."""
        self._doubted = True

    @property
    def _known(self) -> bool:
        return len(self._silences) >= _FEWEST_SENTENCES
