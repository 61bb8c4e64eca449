"""Exponential backoff: pauses that grow with each failure."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential backoff as a value: it neither counts nor waits."""

    first_s: float
    """Pause after the first failure in seconds."""
    longest_s: float
    """Longest pause in seconds, without jitter; may be infinite."""
    factor: float = 2.0
    """Ratio of each pause to the previous one."""
    jitter: float = 0.0
    """Share by which a pause varies up or down, so that many clients do not return at once."""

    def pause_s(self, n_failures: int, rng: random.Random | None = None) -> float:
        """Return the pause after this many failures in a row, in seconds.

        Args:
            n_failures: 1 after the first failure.
            rng: Source of the jitter; None means no jitter.
        """
        try:
            growth = float(self.factor) ** max(0, n_failures - 1)
        except OverflowError:  # after about a thousand failures
            growth = math.inf
        pause_s = min(self.first_s * growth, self.longest_s) if self.first_s else 0.0
        return pause_s if rng is None else pause_s * (1 + self.jitter * rng.uniform(-1, 1))


SENTENCE_RETRY = Backoff(first_s=0.1, longest_s=1.0)
"""Pauses before a sentence is tried again."""
MAX_SENTENCE_TRIES = 3
"""A sentence that fails so often fails for a reason of its own."""
