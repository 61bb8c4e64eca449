"""Latest failure of a backend, and the state that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from vieneu_core.backends.base import BackendState
from vieneu_core.errors import (
    AuthenticationError,
    BackendConnectionError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotConfiguredError,
    BackendNotLoadedError,
    SessionEndingError,
    TunnelError,
)

_STATE_OF_ERROR: tuple[tuple[type[BackendError], BackendState], ...] = (
    (BackendNotConfiguredError, BackendState.NOT_CONFIGURED),
    (BackendNotLoadedError, BackendState.UNLOADED),
    (BackendLoadingError, BackendState.LOADING),
    (BackendDrainingError, BackendState.DRAINING),
    (SessionEndingError, BackendState.EXPIRED),
    (AuthenticationError, BackendState.UNAUTHORIZED),
    (BackendConnectionError, BackendState.UNREACHABLE),
    (TunnelError, BackendState.UNREACHABLE),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """The latest failure of a backend, by a request or a health check."""

    error: BackendError
    certain: bool
    """Whether it proves that the backend cannot speak now. A single timeout does not."""
    past: bool = False
    """Whether the backend has responded since."""

    @property
    def state(self) -> BackendState:
        """State of a backend that cannot be reached or loaded because of this failure."""
        matches = (state for cls, state in _STATE_OF_ERROR if isinstance(self.error, cls))
        return next(matches, BackendState.FAILED)
