"""Requests that a backend has accepted: waiting, or running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vieneu_core.errors import BackendError


class RequestQueue:
    """Counts the requests of a backend, and names it in their errors.

    Args:
        backend: Name of the backend.
    """

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self.depth = 0
        """Requests waiting or running."""

    @contextmanager
    def accepted(self) -> Iterator[None]:
        """Count a request until it ends."""
        self.depth += 1
        try:
            yield
        except BackendError as error:
            error.backend = self._backend
            raise
        finally:
            self.depth -= 1
