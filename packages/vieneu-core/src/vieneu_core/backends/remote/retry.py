"""Retry policy: which failures are retried, and after how long."""

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
        # already waited for seconds, and another backend speaks sooner than a retry.
        BackendConnectionError,
        StreamInterruptedError,
        # 502, 503, 504 from a gateway or tunnel in front of the server.
        BackendUnavailableError,
        TunnelUpstreamError,
        # 503 from the server itself, with Retry-After.
        BackendBusyError,
        BackendLoadingError,
    }
)
"""Exactly these classes, not their subclasses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Number and timing of attempts, as long as no audio of the request has arrived."""

    attempts: int = 3
    """Attempts in all: the first one and two retries."""
    first_wait_s: float = 0.1
    """Seconds before the first retry; doubled for each further one, with a jitter of half of it."""
    longest_wait_s: float = 2.0
    """Longest pause; if the server requests more (Retry-After), the router decides."""
    busy_within_s: float = 1.5
    """A busy or loading server is asked again only within this time in seconds from the first
    attempt: a listener who has waited hears another backend sooner than the next turn."""

    def __post_init__(self) -> None:
        check_not_negative(self)

    def wait_s(
        self,
        error: BackendError,
        n_tried: int,
        rng: random.Random,
        *,
        waited_s: float,
        remaining_s: float,
    ) -> float | None:
        """Return the seconds to wait before the next attempt; None for no further attempt.

        Args:
            error: Failure of the last attempt.
            n_tried: Attempts so far.
            rng: Source of the jitter, so that many clients do not retry at the same time.
            waited_s: Seconds of waiting so far, of all attempts.
            remaining_s: Seconds left until the deadline.
        """
        if n_tried >= self.attempts or type(error) not in _TRY_AGAIN:
            return None
        backoff = Backoff(first_s=self.first_wait_s, longest_s=math.inf, jitter=0.5)
        wait_s = max(backoff.pause_s(n_tried, rng), error.retry_after_s or 0.0)
        if isinstance(error, BackendBusyError | BackendLoadingError):
            remaining_s = min(remaining_s, self.busy_within_s - waited_s)
        return wait_s if wait_s <= min(self.longest_wait_s, remaining_s) else None
