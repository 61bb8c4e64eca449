"""What the router knows of one backend: the backend, its circuit, its health, who uses it.

Learned from real traffic first; the monitor only fills the gaps.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    AuthenticationError,
    BackendConnectionError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotConfiguredError,
    BackendNotLoadedError,
    CircuitOpenError,
    Consequence,
    SessionEndingError,
    TunnelError,
)
from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker, CircuitState
from vieneu_core.router.session import SessionClock

_BRIEF_PAUSE_S = 5.0
"""A backend that asks for no more than this is still where requests go."""

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

_CERTAIN = {Consequence.OPEN, Consequence.PAUSE, Consequence.UNTIL_ADMIN}


def state_of_error(error: BackendError) -> BackendState:
    """Return the state that a failure to reach or load a backend stands for."""
    matches = (state for cls, state in _STATE_OF_ERROR if isinstance(error, cls))
    return next(matches, BackendState.FAILED)


class TrackedBackend:
    """One backend as the router sees it."""

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        backend: Backend,
        *,
        name: str,
        policy: BreakerPolicy,
        clock: Clock,
        rng: random.Random,
        session: SessionClock | None = None,
    ) -> None:
        self.backend = backend
        self.name = name
        self.breaker = CircuitBreaker(name, policy=policy, clock=clock, rng=rng)
        self.session = session
        self.health: Health | None = None
        self.last_error: BackendError | None = None
        self.leases = 0
        """Requests that may still come here; a backend is not closed under them."""
        self.loading = False
        self.kept_unloaded = False
        """True where the admin unloaded it: nobody else loads it again."""
        self.failed_checks = 0
        """Looks in a row that failed, since it was last heard of."""
        self.on_change: Callable[[], None] = lambda: None
        self._clock = clock
        self._failing: BackendError | None = None
        self._contact_at = -math.inf
        self._wanted_at = -math.inf
        self.suspect = False
        """True where the last thing known of the backend is a failure."""

    @property
    def state(self) -> BackendState:
        """Where the backend stands, from all that is known."""
        # What failed to load is tried again and again; it is loading once that gets anywhere.
        has_progress = self.health is not None and self.health.loading is not None
        if self.loading and (self._fault is None or has_progress):
            return BackendState.LOADING
        if self.session is not None and self.session.remaining_s == 0:
            return BackendState.EXPIRED
        if self._fault is not None:
            return state_of_error(self._fault)
        if self.health is None:
            return BackendState.UNLOADED
        degraded = self.health.ready and self.failed_checks > 0
        return BackendState.DEGRADED if degraded else self.health.state

    @property
    def usable(self) -> bool:
        """True where the next request would be sent here, were it the first choice."""
        paused = self.breaker.retry_in_s > _BRIEF_PAUSE_S
        return self.state.ready and not paused and self.breaker.state is CircuitState.CLOSED

    @property
    def idle_s(self) -> float:
        """Seconds since a request last wanted this backend."""
        return self._clock.monotonic() - self._wanted_at

    @property
    def silent_s(self) -> float:
        """Seconds since traffic or a look last told something of the backend, good or bad."""
        return self._clock.monotonic() - self._contact_at

    @property
    def checked_s_ago(self) -> float | None:
        """`silent_s`, or None where the backend was never heard of."""
        return None if math.isinf(self.silent_s) else self.silent_s

    def refusal(self, seconds: float = 0.0) -> BackendError | None:
        """Return why speech of this length cannot start here now, or None where it can."""
        if self.session is not None and not self.session.has_time_for(seconds):
            return SessionEndingError(
                f"The session of {self.name} ends in {self.session.remaining_s:.0f} s.",
                backend=self.name,
            )
        return self.breaker.refusal()

    def why_not_ready(self) -> BackendError:
        """Return the reason why `usable` is false, as an error to be raised."""
        refusal = self.refusal()
        known = self._failing or self.last_error
        if refusal is not None and not isinstance(refusal, CircuitOpenError):
            return refusal
        if known is not None:
            return type(known)(known.detail, remedy=known.remedy, backend=self.name)
        return refusal or BackendNotLoadedError(
            f"The backend {self.name} is not ready.", backend=self.name
        )

    def wanted(self) -> None:
        """State that a request would like to be spoken here."""
        self._wanted_at = self._clock.monotonic()

    def succeeded(self) -> None:
        """State that speech came from here."""
        self._heard_of()
        self.breaker.succeeded()
        self.on_change()

    def failed(self, error: BackendError) -> None:
        """State that speech from here failed."""
        self._note(error)
        self.breaker.failed(error)
        self.on_change()

    def abandoned(self) -> None:
        """State that a request that was let through was cancelled, or was the caller's fault."""
        self.breaker.abandoned()
        self.on_change()

    def health_checked(self, health: Health) -> None:
        """Take what a look at the backend's health showed."""
        self._heard_of()
        self.health = health
        if self.session is not None:
            self.session.observe(health.remaining_s)
        self.on_change()

    def load_progressed(self, health: Health) -> None:
        """Take how far its loading has come."""
        self.health = health
        self.on_change()

    def health_check_failed(self, error: BackendError, *, tolerated: float) -> None:
        """State that a look at the backend's health failed.

        A certain answer counts at once; silence only when it is repeated and no audio comes.
        """
        self._note(error)
        self.failed_checks += 1
        repeated = error.consequence is Consequence.COUNT and self.failed_checks > tolerated
        probing = self.breaker.state is CircuitState.HALF_OPEN
        if error.consequence in _CERTAIN or repeated or probing:
            self._failing = error
            self.breaker.trip(error)
        elif error.consequence is Consequence.NONE or self.health is None:
            self._failing = error
        self.on_change()

    def try_again(self) -> None:
        """Let one request, or a look, try now. Until that succeeds nothing else is sent here."""
        self.breaker.try_again()

    def reset(self) -> None:
        """Start afresh: the admin has acted."""
        self.breaker.reset()
        self.failed_checks = 0
        self.suspect = False
        self._failing = self.last_error = None

    @property
    def _fault(self) -> BackendError | None:
        """The failure that keeps the backend from speaking now."""
        opened = self.breaker.state is not CircuitState.CLOSED
        return self.last_error if opened and self.last_error is not None else self._failing

    def _heard_of(self) -> None:
        self._contact_at = self._clock.monotonic()
        self.failed_checks = 0
        self.suspect = False
        self._failing = None

    def _note(self, error: BackendError) -> None:
        error.backend = self.name
        self.last_error = error
        self.suspect = True
        self._contact_at = self._clock.monotonic()
