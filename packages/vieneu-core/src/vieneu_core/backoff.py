"""Pauses between tries that grow from one failure to the next."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential backoff as a value: it counts nothing and waits for nothing itself."""

    first_s: float
    """Pause after the first failure, in seconds."""
    longest_s: float
    """No pause is longer, jitter aside, in seconds; may be infinite."""
    factor: float = 2.0
    """Each pause is so many times the one before."""
    jitter: float = 0.0
    """Share by which a pause varies, up or down, so that many clients do not return at once."""

    def pause_s(self, n_failures: int, rng: random.Random | None = None) -> float:
        """Return the pause after so many failures in a row, in seconds.

        Args:
            n_failures: 1 after the first failure.
            rng: Draws the jitter; without one there is none.
        """
        try:
            growth = float(self.factor) ** max(0, n_failures - 1)
        except OverflowError:  # after about a thousand failures
            growth = math.inf
        pause_s = min(self.first_s * growth, self.longest_s) if self.first_s else 0.0
        return pause_s if rng is None else pause_s * (1 + self.jitter * rng.uniform(-1, 1))
