"""The backends that may speak one request, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Self

from vieneu_core.errors import BackendError, BackendNotConfiguredError
from vieneu_core.router.pool import BackendPool
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.translatable import Translatable


@dataclass(frozen=True, slots=True)
class Route:
    """The backends of one request, fixed when it starts: changes of the mode do not affect it."""

    backends: tuple[TrackedBackend, ...]
    """The admin's choice first, then the fallbacks."""
    missing: BackendError | None = None
    """Reason why the admin's choice is not among ``backends``."""

    @classmethod
    def along(cls, names: Sequence[str], pool: BackendPool) -> Self:
        """Return the route for these names, of which the first is the admin's choice."""
        backends = tuple(tracked for name in names if (tracked := pool.get(name)) is not None)
        chosen = names[0]
        if chosen in pool:
            return cls(backends)
        missing = BackendNotConfiguredError(
            Translatable("No {chosen} backend is set up.", chosen=chosen), backend=chosen
        )
        return cls(backends, missing)

    @contextmanager
    def leased(self) -> Iterator[None]:
        """Hold a lease on each of the backends."""
        with ExitStack() as leases:
            for tracked in self.backends:
                leases.enter_context(tracked.lease())
            yield

    def is_fallback(self, tracked: TrackedBackend) -> bool:
        """Return whether this backend differs from the admin's choice."""
        return self.missing is not None or tracked is not self.backends[0]
