"""The health that a server reports, taken with care: its clock and its sums may be wrong."""

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
"""A longer one is a clock that is wrong, or no session at all."""
MAX_QUEUE_DEPTH = 1_000_000
CHECK_AGAIN_S = 5.0
"""When to check again a server that is loading its model."""
NEW_HOST_GRACE_S = 60.0
"""The name of a new quick tunnel may be unknown for so long."""
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
    """Return the health that a server reports, with nothing in it that cannot be."""
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
    """Let only a server pass that would take a request now.

    Raises:
        BackendError: the class that says what it is doing instead.
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
    """Return a quantity that cannot be negative or endless; None where it is."""
    return value if value is not None and math.isfinite(value) and value >= 0.0 else None


async def health_of_new_host(
    check_health: Callable[[], Awaitable[Health]], clock: Clock, *, until_s: float
) -> Health:
    """Return a server's health, and ask again while its name is not known yet.

    Args:
        check_health: Asks the server.
        clock: Time.
        until_s: On the monotonic clock, in seconds: from then on an unknown name is an error.

    Raises:
        BackendError: what ``check_health`` raises.
    """
    while True:
        try:
            return await check_health()
        except HostNotFoundError:
            if clock.monotonic() + NEW_HOST_RETRY_S > until_s:
                raise
        await clock.sleep(NEW_HOST_RETRY_S)
