"""State that the router keeps of one backend: circuit, health, failure, and leases.

It comes from real traffic first; the health monitor only fills the gaps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendError,
    BackendNotLoadedError,
    CircuitOpenError,
    Consequence,
    SessionEndingError,
)
from vieneu_core.router.breaker import CircuitBreaker, CircuitState
from vieneu_core.router.failure import Failure
from vieneu_core.router.session_countdown import SessionClock
from vieneu_core.translatable import Translatable

_BRIEF_PAUSE_S = 5.0
"""A backend that asks for a pause up to this length (seconds) still gets requests."""

_CERTAIN = {Consequence.OPEN, Consequence.PAUSE, Consequence.UNTIL_ADMIN}


class TrackedBackend:
    """One backend with the router's state of it, which only its own methods change.

    Args:
        backend: The backend.
        name: Its name in the router.
        breaker: Its circuit breaker.
        clock: Clock of the backend.
        on_change: Called after each change.
        session: Countdown of its session; None if it has no end.
    """

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        backend: Backend,
        *,
        name: str,
        breaker: CircuitBreaker,
        clock: Clock,
        on_change: Callable[[], None],
        session: SessionClock | None = None,
    ) -> None:
        self.backend: Final = backend
        self.name: Final = name
        self.breaker: Final = breaker
        self.session: Final = session
        self._on_change = on_change
        self._clock = clock
        self._health: Health | None = None
        self._failure: Failure | None = None
        self._failed_checks = 0
        self._leases = 0
        self._loading = False
        self._unloaded_by_admin = False
        self._contact_at = -math.inf
        self._wanted_at = -math.inf

    # --- what is known ----------------------------------------------------------------------

    @property
    def health(self) -> Health | None:
        """The last successful health check; None if there was none yet."""
        return self._health

    @property
    def last_error(self) -> BackendError | None:
        """The latest failure; kept after the backend has recovered, until `reset`."""
        return self._failure.error if self._failure is not None else None

    @property
    def suspect(self) -> bool:
        """True if the latest result of the backend is a failure."""
        return self._failure is not None and not self._failure.past

    @property
    def failed_checks(self) -> int:
        """Number of failed health checks in a row since the backend last responded."""
        return self._failed_checks

    @property
    def in_use(self) -> bool:
        """Whether a request holds a lease."""
        return self._leases > 0

    @property
    def unloaded_by_admin(self) -> bool:
        """True if the admin unloaded it: only the admin loads it again."""
        return self._unloaded_by_admin

    @property
    def state(self) -> BackendState:
        """State of the backend, derived from all known facts."""
        # Loading is retried repeatedly; the state is loading once there is progress.
        has_progress = self._health is not None and self._health.loading is not None
        if self._loading and (self._fault is None or has_progress):
            return BackendState.LOADING
        if self.session is not None and self.session.remaining_s == 0:
            return BackendState.EXPIRED
        if self._fault is not None:
            return self._fault.state
        if self._health is None:
            return BackendState.UNLOADED
        degraded = self._health.ready and self._failed_checks > 0
        return BackendState.DEGRADED if degraded else self._health.state

    @property
    def usable(self) -> bool:
        """True if the next request would be sent here with it as the first choice."""
        paused = self.breaker.retry_in_s > _BRIEF_PAUSE_S
        return self.state.ready and not paused and self.breaker.state is CircuitState.CLOSED

    @property
    def idle_s(self) -> float:
        """Seconds since the last request for this backend."""
        return self._clock.monotonic() - self._wanted_at

    @property
    def silent_s(self) -> float:
        """Seconds since it last responded or failed; infinite if it never did."""
        return self._clock.monotonic() - self._contact_at

    def refusal(self, seconds: float = 0.0) -> BackendError | None:
        """Return why speech of this length cannot start here now, or None if it can."""
        if self.session is not None and not self.session.has_time_for(seconds):
            left_s = self.session.remaining_s
            detail = Translatable(
                "The session of {name} ends in {left_s:.0f} s.", name=self.name, left_s=left_s
            )
            return SessionEndingError(detail, backend=self.name)
        return self.breaker.refusal()

    def why_not_ready(self) -> BackendError:
        """Return the reason why `usable` is false, as an error to raise."""
        refusal, known = self.refusal(), self.last_error
        if refusal is not None and not isinstance(refusal, CircuitOpenError):
            return refusal
        if known is not None:
            return type(known)(known.detail, remedy=known.remedy, backend=self.name)
        return refusal or BackendNotLoadedError(
            Translatable("The backend {name} is not ready.", name=self.name), backend=self.name
        )

    # --- requests ---------------------------------------------------------------------------

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Reserve it for a request that may come here: it is not closed meanwhile."""
        self._leases += 1
        try:
            yield
        finally:
            self._leases -= 1
            self._on_change()

    def admit(self, seconds: float | None, *, last_chance: bool = False) -> None:
        """Admit a request; `attempt` follows.

        Args:
            seconds: Estimated length of its speech. None means a probe, which does not count as use
                and is allowed at the end of a session.
            last_chance: Whether to ignore an open circuit.

        Raises:
            BackendError: what `refusal` returns.
        """
        if seconds is not None:
            self._wanted_at = self._clock.monotonic()
        refusal = self.breaker.refusal() if seconds is None else self.refusal(seconds)
        if refusal is None:
            self.breaker.admit()
        elif not (last_chance and isinstance(refusal, CircuitOpenError)):
            raise refusal

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Record the result of an admitted request.

        A `BackendError` is a failure of the backend. Any other exception, also cancellation, says
        nothing about it: the request was cancelled, or invalid.
        """
        try:
            yield
        except BackendError as error:
            self.breaker.failed(error)
            self._fail(error)
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        else:
            self._answered()
            self.breaker.succeeded()
        finally:
            self._on_change()

    # --- health -----------------------------------------------------------------------------

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Mark it as loading inside the context."""
        self._loading, self._unloaded_by_admin = True, False
        try:
            yield
        finally:
            self._loading = False

    def load_progressed(self, health: Health) -> None:
        """Record the progress of loading."""
        self._health = health
        self._on_change()

    def health_checked(self, health: Health) -> None:
        """Record a successful health check."""
        self._answered()
        self._health = health
        if self.session is not None:
            self.session.observe(health.remaining_s)
        self._on_change()

    def health_check_failed(self, error: BackendError, *, tolerated: float) -> None:
        """Record a failed health check.

        A definite failure counts at once; a timeout only if it is repeated and no audio arrives:
        more than ``tolerated`` times in a row.
        """
        self._failed_checks += 1
        repeated = error.consequence is Consequence.COUNT and self._failed_checks > tolerated
        probing = self.breaker.state is CircuitState.HALF_OPEN
        unusable = error.consequence in _CERTAIN or repeated or probing
        if unusable:
            self.breaker.trip(error)
        unknown = error.consequence is Consequence.NONE or self._health is None
        self._fail(error, certain=unusable or unknown)
        self._on_change()

    def clear_health(self) -> None:
        """Discard its health: it is being unloaded together with the router."""
        self._health = None

    # --- the admin --------------------------------------------------------------------------

    async def unload_by_admin(self) -> None:
        """Unload it; it stays unloaded until the admin loads it."""
        self._unloaded_by_admin = True
        await self.backend.unload()
        self.health_checked(Health(state=BackendState.UNLOADED))

    def try_again(self) -> None:
        """Let one request or health check try now. Nothing else is sent until it succeeds."""
        self.breaker.try_again()

    def reset(self) -> None:
        """Reset all failures: the admin has acted."""
        self.breaker.reset()
        self._failed_checks = 0
        self._failure = None

    def retire(self, on_idle: Callable[[], None]) -> None:
        """Stop reporting changes; call ``on_idle`` when no request holds a lease."""

        def released() -> None:
            if self._leases == 0:
                on_idle()

        self._on_change = released
        released()

    @property
    def _fault(self) -> Failure | None:
        """The failure that keeps the backend from speaking now."""
        opened = self.breaker.state is not CircuitState.CLOSED
        certain = self._failure is not None and self._failure.certain
        return self._failure if opened or certain else None

    def _answered(self) -> None:
        self._contact_at = self._clock.monotonic()
        self._failed_checks = 0
        if self._failure is not None:
            self._failure = replace(self._failure, certain=False, past=True)

    def _fail(self, error: BackendError, *, certain: bool = False) -> None:
        """Record a failure; one that explains the state is only replaced by another such one."""
        error.backend = self.name
        self._contact_at = self._clock.monotonic()
        explains = certain or self.breaker.state is not CircuitState.CLOSED
        if self._failure is None or not self._failure.certain or explains:
            self._failure = Failure(error, certain=explains)
