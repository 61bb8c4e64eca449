"""State that the router keeps of one backend: circuit, health, failure, and leases.

It comes from real traffic first; the health monitor only fills the gaps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendError,
    CircuitOpenError,
    Consequence,
    TooSlowError,
    UnpronounceableError,
)
from vieneu_core.router.backlog import Backlog, RunningSpeech
from vieneu_core.router.breaker import CircuitBreaker, CircuitState, Probe
from vieneu_core.router.failure import Failure, FailureRecord
from vieneu_core.router.leases import Leases
from vieneu_core.router.measured_speed import MeasuredSpeed
from vieneu_core.router.refusal import not_ready, session_ending, too_slow
from vieneu_core.router.session_countdown import SessionClock

BRIEF_PAUSE_S = 5.0
"""A backend that asks for a pause up to this length (seconds) still gets requests."""


class TrackedBackend:
    """One backend with the router's state of it, which only its own methods change.

    Args:
        backend: The backend.
        name: Its name in the router.
        breaker: Its circuit breaker.
        clock: Clock of the backend.
        on_change: Called after each change.
        session: Countdown of its session; None if it has no end.
        keeps_up: Returns whether it counts as failed while it is slower than playback.
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
        keeps_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self.backend: Final = backend
        self.name: Final = name
        self.breaker: Final = breaker
        self.session: Final = session
        self.speed: Final = MeasuredSpeed()
        self.backlog: Final = Backlog(self.speed, clock)
        self.failures: Final = FailureRecord(clock)
        self._keeps_up = keeps_up
        self._on_change = on_change
        self._clock = clock
        self._health: Health | None = None
        self._leases = Leases()
        self._loading = self._unloaded_by_admin = False
        self._wanted_at = -math.inf

    @property
    def health(self) -> Health | None:
        """The last successful health check; None if there was none yet."""
        return self._health

    @property
    def last_error(self) -> BackendError | None:
        """The latest failure; kept after the backend has recovered, until `reset`."""
        return self.failures.error

    @property
    def in_use(self) -> bool:
        """Whether a request holds a lease."""
        return self._leases.any_held

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
        return self._health_state

    @property
    def _health_state(self) -> BackendState:
        if self._health is None:
            return BackendState.UNLOADED
        if not self._health.ready:
            return self._health.state
        if self.pause_s > BRIEF_PAUSE_S:
            return BackendState.PAUSED
        if self.failures.n_failed_checks > 0:
            return BackendState.DEGRADED
        return BackendState.SLOW if self.speed.slower_than_playback else self._health.state

    @property
    def usable(self) -> bool:
        """True if the next request would be sent here with it as the first choice."""
        paused = self.pause_s > BRIEF_PAUSE_S
        return self.state.ready and not paused and self.breaker.state is CircuitState.CLOSED

    @property
    def pause_s(self) -> float:
        """Seconds until requests are sent here again; infinite where only the admin can help."""
        return self.breaker.retry_in_s

    @property
    def idle_s(self) -> float:
        """Seconds since the last request for this backend."""
        return self._clock.monotonic() - self._wanted_at

    def refusal(self, seconds: float = 0.0) -> BackendError | None:
        """Return why speech of this length cannot start here now, or None if it can."""
        if self.session is not None and not self.session.has_time_for(seconds):
            return session_ending(self.name, self.session.remaining_s)
        return self.breaker.refusal()

    def why_not_ready(self) -> BackendError:
        """Return the reason why `usable` is false, as an error to raise."""
        return not_ready(self.name, refusal=self.refusal(), last_error=self.last_error)

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Reserve it for a request that may come here: it is not closed meanwhile."""
        try:
            with self._leases.hold():
                yield
        finally:
            self._on_change()

    def admit(
        self, seconds: float | None, *, last_chance: bool = False, replaceable: bool = False
    ) -> Probe | None:
        """Admit a request; `attempt` or `abandon` follows, with the probe that is returned.

        Args:
            seconds: Estimated length of its speech. None means a probe, which does not count as use
                and is allowed at the end of a session.
            last_chance: Whether to ignore an open circuit.
            replaceable: Whether another backend can speak. Then a request does not try one whose
                last failure was noticed late; the health monitor does, and no listener waits.

        Raises:
            BackendError: what `refusal` returns.
        """
        if seconds is not None:
            self._wanted_at = self._clock.monotonic()
        refusal = self.breaker.refusal() if seconds is None else self.refusal(seconds)
        if refusal is None and replaceable and not last_chance:
            refusal = self.breaker.late_refusal()
            if refusal is not None:
                self._on_change()  # the monitor tries it now
        if refusal is None:
            return self.breaker.admit()
        if not (last_chance and isinstance(refusal, CircuitOpenError)):
            raise refusal
        return None

    def abandon(self, probe: Probe | None, *, late_chars: int) -> None:
        """Record that an admitted request is not sent: its sentence of so many would be late."""
        self.failures.late_chars = late_chars
        self.breaker.abandoned(probe)

    @contextmanager
    def attempt(
        self, probe: Probe | None, *sentences_s: float, longest_chars: int = 0
    ) -> Iterator[RunningSpeech]:
        """Record the result of an admitted request; what is yielded records its progress.

        A `BackendError` is a failure of the backend, if it was not only late. Any other exception,
        also cancellation, says nothing about it.

        Args:
            probe: What `admit` returned.
            sentences_s: Estimated lengths of its sentences in seconds.
            longest_chars: Characters of its longest sentence.
        """
        try:
            with self.backlog.running(*sentences_s) as speech:
                yield speech
        except BackendError as error:
            if isinstance(error, UnpronounceableError):
                self.failures.answered()
            elif not speech.turn_was_late and (
                not isinstance(error, TooSlowError) or self._keeps_up()
            ):
                self._request_failed(error, probe, longest_chars)
            raise  # one that need not keep up may speak shorter sentences
        else:
            self.failures.answered()
            if self._keeps_up() and self.speed.slower_than_playback:
                late = too_slow(self.name, self.speed.real_time_factor)
                self._request_failed(late, probe, longest_chars)
            else:
                self.breaker.succeeded()
        finally:
            self.breaker.abandoned(probe)  # without effect where its outcome was recorded
            self._on_change()

    def _request_failed(self, error: BackendError, probe: Probe | None, longest_chars: int) -> None:
        self.failures.longest_chars = longest_chars
        self.breaker.failed(error, probe)
        self._fail(error)

    def session_mark(self) -> float | None:
        """Return the mark of its session that was just passed, once each: `SessionClock.due`."""
        return None if self.session is None else self.session.due()

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
        self.failures.answered()
        self._health = health
        if self.session is not None:
            self.session.observe(health.remaining_s)
        self._on_change()

    def health_check_failed(self, error: BackendError, *, tolerated: float) -> None:
        """Record a failed health check.

        A definite failure counts at once; a timeout only if it is repeated and no audio arrives:
        more than ``tolerated`` times in a row.
        """
        self.failures.n_failed_checks += 1
        unusable = self.breaker.check_failed(
            error, repeated=self.failures.n_failed_checks > tolerated
        )
        unknown = error.consequence is Consequence.NONE or self._health is None
        self._fail(error, certain=unusable or unknown)
        self._on_change()

    def clear_health(self) -> None:
        """Discard its health: it is being unloaded together with the router."""
        self._health = None

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
        self.failures.forget()
        self.speed.forget()

    def retire(self, on_idle: Callable[[], None]) -> None:
        """Stop reporting changes; call ``on_idle`` when no request holds a lease."""
        self._on_change = lambda: None
        self._leases.when_idle(on_idle)

    @property
    def _fault(self) -> Failure | None:
        """The failure that keeps the backend from speaking now."""
        return self.failures.fault(refused=self.breaker.state is not CircuitState.CLOSED)

    def _fail(self, error: BackendError, *, certain: bool = False) -> None:
        error.backend = self.name
        opened = self.breaker.state is not CircuitState.CLOSED
        self.failures.failed(error, explains=certain or opened)
