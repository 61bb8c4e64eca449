"""Failures of a backend: the latest one, whether it still holds, and the state it means."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from vieneu_core.backends.base import BackendState
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    AuthenticationError,
    BackendBusyError,
    BackendConnectionError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotConfiguredError,
    BackendNotLoadedError,
    SessionEndingError,
    TooSlowError,
    TunnelError,
)
from vieneu_core.router.events import ErrorReport

_STATE_OF_ERROR: tuple[tuple[type[BackendError], BackendState], ...] = (
    (BackendNotConfiguredError, BackendState.NOT_CONFIGURED),
    (BackendNotLoadedError, BackendState.UNLOADED),
    (BackendLoadingError, BackendState.LOADING),
    (BackendDrainingError, BackendState.DRAINING),
    (BackendBusyError, BackendState.PAUSED),
    (SessionEndingError, BackendState.EXPIRED),
    (AuthenticationError, BackendState.UNAUTHORIZED),
    (TooSlowError, BackendState.SLOW),
    (BackendConnectionError, BackendState.UNREACHABLE),
    (TunnelError, BackendState.UNREACHABLE),
)

_MEASURABLE_CHARS = 80
"""More than 4 s of speech, from which on `MeasuredSpeed` knows the real-time factor."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The latest failure of a backend, by a request or a health check."""

    error: BackendError
    certain: bool
    """Whether it proves that the backend cannot speak now. A single timeout does not."""
    report: ErrorReport
    """The same object for one failure, so that a later one can be told from it."""
    past: bool = False
    """Whether the backend has responded since."""

    @property
    def state(self) -> BackendState:
        """State of a backend that cannot be reached or loaded because of this failure."""
        matches = (state for cls, state in _STATE_OF_ERROR if isinstance(self.error, cls))
        return next(matches, BackendState.FAILED)


class FailureRecord:
    """What is known of the failures of one backend.

    Args:
        clock: Clock of the backend.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest: Failure | None = None
        self._contact_at = -math.inf
        self.longest_chars = 0
        """Characters of the longest sentence of the latest request that failed; 0 if none did."""
        self.late_chars = 0
        """Characters of the latest sentence that was not sent, since it would be late; 0: none."""
        self.n_failed_checks = 0
        """Failed health checks in a row since the backend last responded."""

    @property
    def error(self) -> BackendError | None:
        """The latest failure; kept after the backend has recovered, until `forget`."""
        return self._latest.error if self._latest is not None else None

    @property
    def report(self) -> ErrorReport | None:
        """Description of `error`."""
        return self._latest.report if self._latest is not None else None

    @property
    def probe_chars(self) -> int:
        """Characters that a probe should have: as many as what failed.

        After slow speech at least so many that its speed is known.
        """
        slow = isinstance(self.error, TooSlowError)
        return max(self.longest_chars, _MEASURABLE_CHARS if slow else 0)

    @property
    def silent_s(self) -> float:
        """Seconds since the backend last responded or failed; infinite if it never did."""
        return self._clock.monotonic() - self._contact_at

    @property
    def suspect(self) -> bool:
        """True if the latest result of the backend is a failure."""
        return self._latest is not None and not self._latest.past

    def fault(self, *, refused: bool) -> Failure | None:
        """Return the failure that keeps the backend from speaking now, or None.

        Args:
            refused: Whether its circuit refuses requests.
        """
        certain = self._latest is not None and self._latest.certain
        return self._latest if refused or certain else None

    def answered(self) -> None:
        """Record that the backend has responded."""
        self._contact_at = self._clock.monotonic()
        self.n_failed_checks = 0
        if self._latest is not None:
            self._latest = replace(self._latest, certain=False, past=True)

    def failed(self, error: BackendError, *, explains: bool) -> None:
        """Record a failure; one that explains the state is only replaced by another such one."""
        self._contact_at = self._clock.monotonic()
        if self._latest is None or not self._latest.certain or explains:
            self._latest = Failure(error, certain=explains, report=ErrorReport.of(error))

    def forget(self) -> None:
        """Forget all failures: the admin has acted."""
        self.n_failed_checks = self.longest_chars = self.late_chars = 0
        self._latest = None
