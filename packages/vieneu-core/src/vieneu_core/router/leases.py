"""Leases of the requests that may come to a backend: it is not closed while one is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Leases:
    """Counts the leases of one backend."""

    def __init__(self) -> None:
        self._n_held = 0
        self._on_idle: Callable[[], None] | None = None

    @property
    def any_held(self) -> bool:
        """Whether a request holds a lease."""
        return self._n_held > 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold a lease inside the context."""
        self._n_held += 1
        try:
            yield
        finally:
            self._n_held -= 1
            self._report()

    def when_idle(self, on_idle: Callable[[], None]) -> None:
        """Call ``on_idle`` when no lease is held any more; at once if none is."""
        self._on_idle = on_idle
        self._report()

    def _report(self) -> None:
        if self._on_idle is not None and not self.any_held:
            self._on_idle()
