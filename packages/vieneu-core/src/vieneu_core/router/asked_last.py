"""Backends that a request asks last, because they failed in it, until they may speak again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vieneu_core.errors import BackendBusyError, RequestError, TooSlowError, VieneuError
from vieneu_core.router.tracked_backend import TrackedBackend


@dataclass(frozen=True, slots=True)
class _Absence:
    """Why a backend is asked last."""

    ends_at: float
    """Index of the sentence at which it is asked again."""
    error: VieneuError
    """Why it did not speak."""


class AskedLast:
    """The backends that failed in one request, were busy or too slow, or refused it.

    Args:
        sentences_until_return: Sentences that others speak before one of them is asked again.
    """

    def __init__(self, sentences_until_return: int) -> None:
        self._sentences_until_return = sentences_until_return
        self._absences: dict[TrackedBackend, _Absence] = {}

    @property
    def backends(self) -> frozenset[TrackedBackend]:
        """These backends, also those that may speak again and were not yet asked."""
        return frozenset(self._absences)

    @property
    def failed(self) -> frozenset[TrackedBackend]:
        """Those of them that would not have spoken later either."""
        return frozenset(one for one, why in self._absences.items() if not only_late(why.error))

    def add(self, tracked: TrackedBackend, error: VieneuError, n_complete: int) -> None:
        """Add a backend that did not speak.

        Args:
            tracked: The backend.
            error: Why not. One that refused the request will refuse it again.
            n_complete: Number of complete sentences.
        """
        ends_at = n_complete + self._sentences_until_return
        self._absences[tracked] = _Absence(
            ends_at=math.inf if isinstance(error, RequestError) else ends_at,
            error=error,
        )

    def has(self, tracked: TrackedBackend, n_complete: int) -> bool:
        """Return whether a backend is still asked last; one that is known to have recovered is not.

        Args:
            tracked: The backend.
            n_complete: Number of complete sentences.
        """
        absence = self._absences.get(tracked)
        if absence is None:
            return False
        if n_complete < absence.ends_at or not _recovered(tracked, absence):
            return True
        del self._absences[tracked]
        return False


def only_late(error: VieneuError) -> bool:
    """Return whether a backend would have spoken, but later than another one."""
    return isinstance(error, BackendBusyError | TooSlowError)


def _recovered(tracked: TrackedBackend, absence: _Absence) -> bool:
    # One that was too slow must not be known to be slow: one sentence in time is not enough.
    if isinstance(absence.error, TooSlowError) and tracked.speed.needs_a_lead:
        return False
    return tracked.usable and tracked.backlog.has_room and not tracked.failures.suspect
