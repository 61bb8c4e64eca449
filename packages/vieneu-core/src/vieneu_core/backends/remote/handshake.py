"""Validation of the health that a server reports, whose clock and numbers may be wrong."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    BackendUnavailableError,
    HostNotFoundError,
    ModelLoadError,
    SessionEndingError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.wire.schemas import HealthAnswer

LONGEST_SESSION_S = 366 * 86_400.0
"""A longer session means a wrong clock, or no session at all."""
MAX_QUEUE_DEPTH = 1_000_000
CHECK_AGAIN_S = 5.0
"""Seconds until the next check of a server that is loading its model."""
NEW_HOST_GRACE_S = 60.0
"""Seconds for which the name of a new quick tunnel may be unknown."""
NEW_HOST_RETRY_S = 2.0

_REFUSALS: dict[BackendState, tuple[type[BackendError], str]] = {
    BackendState.LOADING: (BackendLoadingError, "is still loading its model"),
    BackendState.DRAINING: (BackendDrainingError, "is shutting down"),
    BackendState.EXPIRED: (SessionEndingError, "has reached the end of its session"),
    BackendState.UNLOADED: (BackendNotLoadedError, "has no model loaded"),
    BackendState.NOT_CONFIGURED: (BackendNotLoadedError, "has no model set up"),
    BackendState.FAILED: (ModelLoadError, "could not load its model"),
}


def health_of(answer: HealthAnswer, *, latency_ms: float) -> Health:
    """Return the health that a server reports, without implausible values."""
    health = answer.to_health(latency_ms=latency_ms)
    remaining_s = health.remaining_s
    if remaining_s is not None and (
        not math.isfinite(remaining_s) or remaining_s > LONGEST_SESSION_S
    ):
        remaining_s = None
    elif remaining_s is not None:
        remaining_s = max(0.0, remaining_s)
    return replace(
        health,
        state=_state(health.state, draining=answer.draining, remaining_s=remaining_s),
        queue_depth=min(max(0, health.queue_depth), MAX_QUEUE_DEPTH),
        gpu_memory_used_gb=_amount(health.gpu_memory_used_gb),
        gpu_memory_total_gb=_amount(health.gpu_memory_total_gb),
        uptime_s=_amount(health.uptime_s),
        remaining_s=remaining_s,
    )


def refuse_unready(health: Health, backend: str, host: str) -> None:
    """Raise unless the server would accept a request now.

    Raises:
        BackendError: the server is not ready; the class states the reason.
    """
    if health.ready:
        return
    cls, words = _REFUSALS.get(health.state, (BackendUnavailableError, "is not ready"))
    retry_after_s = CHECK_AGAIN_S if health.state is BackendState.LOADING else None
    raise cls(
        Translatable("The server {host} {words}.", host=host, words=words),
        backend=backend,
        retry_after_s=retry_after_s,
    )


def _state(state: BackendState, *, draining: bool, remaining_s: float | None) -> BackendState:
    if remaining_s == 0.0:
        return BackendState.EXPIRED
    if draining and state.ready:
        return BackendState.DRAINING
    return state


def _amount(value: float | None) -> float | None:
    """Return the quantity; None if it is negative or infinite."""
    return value if value is not None and math.isfinite(value) and value >= 0.0 else None


async def health_of_new_host(
    check_health: Callable[[], Awaitable[Health]], clock: Clock, *, until_s: float
) -> Health:
    """Return a server's health; retry while its host name is unknown.

    Args:
        check_health: Requests the health.
        clock: Clock for the pauses.
        until_s: Monotonic time in seconds after which an unknown name is an error.

    Raises:
        BackendError: as ``check_health``.
    """
    while True:
        try:
            return await check_health()
        except HostNotFoundError:
            if clock.monotonic() + NEW_HOST_RETRY_S > until_s:
                raise
        await clock.sleep(NEW_HOST_RETRY_S)
