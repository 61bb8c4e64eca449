"""Count of a worker's failed starts: the delay of the next one, and when there is none."""

from __future__ import annotations

from vieneu_core.backoff import Backoff
from vieneu_core.errors import EngineError
from vieneu_core.worker.spec import RestartPolicy

_MOST_REPORTED = 5
"""Failed starts in a row that the engine itself reports: it will hardly load at the next one."""


class FailedStarts:
    """Counts deaths and failed starts of the workers of one engine."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._backoff = Backoff(first_s=policy.first_delay_s, longest_s=policy.max_delay_s)
        self.reset()

    def reset(self) -> None:
        """Forget all: the engine is loaded by hand."""
        self._n_deaths = self._n_failed_starts = 0
        self._is_loaded = False

    def begin(self) -> None:
        """Record that a worker is started."""
        self._is_loaded = False

    def loaded(self) -> None:
        """Record that it has loaded its engine."""
        self._is_loaded = True
        self._n_failed_starts = 0

    def start_failed(self, error: EngineError, *, reported: bool = False) -> None:
        """Record that it has not.

        Args:
            error: Why.
            reported: Whether the engine said so itself.

        Raises:
            EngineError: the error itself, where there were too many in a row.
        """
        self._n_failed_starts += 1
        most = self._policy.max_failed_starts
        if self._n_failed_starts >= (min(most, _MOST_REPORTED) if reported else most):
            raise error

    def after_s(self, lived_s: float) -> float:
        """Return the seconds to wait after a worker that ended, and lived for so many."""
        if self._is_loaded and lived_s >= self._policy.healthy_after_s:
            self._n_deaths = 0
        self._n_deaths += 1
        return self._backoff.pause_s(self._n_deaths)
