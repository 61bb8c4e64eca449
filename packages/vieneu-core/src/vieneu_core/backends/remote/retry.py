"""Which failures are worth asking again, and after how long. Not what is asked."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from vieneu_core.arguments import check_not_negative
from vieneu_core.backoff import Backoff
from vieneu_core.errors import (
    BackendBusyError,
    BackendConnectionError,
    BackendError,
    BackendLoadingError,
    BackendUnavailableError,
    StreamInterruptedError,
    TunnelUpstreamError,
)

_TRY_AGAIN = frozenset(
    {
        # The connection was refused or broke off at once. Not its timeouts: a listener has
        # already waited for seconds, and another backend speaks sooner than a second try.
        BackendConnectionError,
        StreamInterruptedError,
        # 502, 503, 504 from whatever stands before the server.
        BackendUnavailableError,
        TunnelUpstreamError,
        # 503 from the server itself, which says how long.
        BackendBusyError,
        BackendLoadingError,
    }
)
"""Exactly these classes, not their subclasses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How a request is tried again before any of its audio came."""

    attempts: int = 3
    """Tries in all: the first one and two more."""
    first_wait_s: float = 0.1
    """Wait before the second try; it doubles for each further one, with jitter of its half."""
    longest_wait_s: float = 2.0
    """A server that asks for a longer wait (Retry-After) is left to the router."""

    def __post_init__(self) -> None:
        check_not_negative(self)

    def wait_s(
        self, error: BackendError, n_tried: int, remaining_s: float, rng: random.Random
    ) -> float | None:
        """Return the seconds to wait before the next try; None where there shall be none.

        Args:
            error: What the last try failed with.
            n_tried: Tries so far.
            remaining_s: Waiting that is left until the deadline.
            rng: Where the jitter comes from, so that many clients do not come back at once.
        """
        if n_tried >= self.attempts or type(error) not in _TRY_AGAIN:
            return None
        backoff = Backoff(first_s=self.first_wait_s, longest_s=math.inf, jitter=0.5)
        wait_s = max(backoff.pause_s(n_tried, rng), error.retry_after_s or 0.0)
        return wait_s if wait_s <= min(self.longest_wait_s, remaining_s) else None
