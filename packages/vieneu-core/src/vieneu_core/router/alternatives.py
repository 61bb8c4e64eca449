"""Other backends that could speak in place of one, in one request."""

from __future__ import annotations

from vieneu_core.errors import VieneuError
from vieneu_core.router.asked_last import AskedLast, only_late
from vieneu_core.router.route import Route
from vieneu_core.router.tracked_backend import TrackedBackend


class Alternatives:
    """Knows which backends of a route were asked in vain.

    Args:
        route: The backends of the request.
        asked_last: Those that did not speak a sentence before.
    """

    def __init__(self, route: Route, asked_last: AskedLast) -> None:
        self._route = route
        self._asked_last = asked_last
        self._failed_in_round: dict[TrackedBackend, VieneuError] = {}
        self.n_failures = 0
        """How often all of them have failed with the present sentence."""

    def begin_round(self, n_failures: int) -> None:
        """Begin to ask each backend once, after so many rounds in which all have failed."""
        self._failed_in_round.clear()
        self.n_failures = n_failures

    def failed(self, tracked: TrackedBackend, error: VieneuError) -> None:
        """Record why a backend did not speak in this round."""
        self._failed_in_round[tracked] = error

    def none_left(self, tracked: TrackedBackend) -> bool:
        """Return whether all others were asked in vain in this round."""
        others = (other for other in self._route.backends if other is not tracked)
        return all(other in self._failed_in_round for other in others)

    def replaceable(self, tracked: TrackedBackend) -> bool:
        """Return whether another backend could speak now that was not yet asked in vain."""
        asked = self._asked_last.backends | self._failed_in_round.keys()
        return any(other not in asked for other in self._others(tracked))

    def other_in_s(self, tracked: TrackedBackend, sentence_s: float) -> float | None:
        """Return the seconds until a sentence could be heard from another backend.

        It may have been late in the request, but not failed. None if there is none.

        Args:
            tracked: The backend in whose place it would speak.
            sentence_s: Estimated length of the sentence in seconds.
        """
        failed = {one for one, err in self._failed_in_round.items() if not only_late(err)}
        failed |= self._asked_last.failed
        waits_s = (
            max(other.pause_s, other.backlog.wait_s(begun=False))
            + other.speed.sounds_in_s(sentence_s)
            for other in self._others(tracked)
            if other not in failed
        )
        return min(waits_s, default=None)

    def _others(self, tracked: TrackedBackend) -> list[TrackedBackend]:
        return [other for other in self._route.backends if other is not tracked and other.usable]
