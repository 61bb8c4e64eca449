"""The only definition of a lost backend."""

from __future__ import annotations

from vieneu_core.backends.base import BackendState
from vieneu_core.errors import (
    BackendBusyError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    RateLimitedError,
    TunnelLimitError,
)
from vieneu_core.router.events import ErrorReport

_LOST = {
    BackendState.PAUSED,
    BackendState.UNREACHABLE,
    BackendState.UNAUTHORIZED,
    BackendState.EXPIRED,
    BackendState.FAILED,
}
_HEALTHY = {
    kind.code
    for kind in (
        BackendBusyError,
        BackendDrainingError,
        BackendLoadingError,
        RateLimitedError,
        TunnelLimitError,
    )
}
"""Failures of a backend that works and asks for a moment, which needs no admin."""


def is_lost(state: BackendState, error: BackendError | ErrorReport | None) -> bool:
    """Return whether a backend that is in this state because of this failure is lost.

    One that is loading, shuts down on purpose, or has too much to do is not.
    """
    return state in _LOST and error is not None and error.code not in _HEALTHY
