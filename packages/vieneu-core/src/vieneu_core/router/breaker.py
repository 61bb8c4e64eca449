"""A circuit breaker: closed (traffic passes), open (refused for a while), half-open (one probe).

After M. Nygard, "Release It!": three failures in a row, or half of the recent calls, open it. The
cool-down doubles with every failed probe, and with every opening soon after it closed. The class
of a failure states its effect (`Consequence`): a loading or busy backend is only paused, a rejected
token stops all requests.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from vieneu_core.arguments import check_not_negative
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendError, BackendTimeoutError, CircuitOpenError, Consequence
from vieneu_core.translatable import Translatable


class CircuitState(StrEnum):
    """State of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a circuit opens, and for how long."""

    failures_in_a_row: int = 3
    window: int = 10
    """Number of recent calls that are remembered."""
    least_calls: int = 5
    """Calls needed before the share of failures counts."""
    failure_share: float = 0.5
    cooldown_s: float = 5.0
    longest_cooldown_s: float = 60.0
    quick_reopening_s: float = 300.0
    """A circuit that opens again within this time after it closed cools down for longer."""
    jitter: float = 0.2
    """Share by which cool-downs vary, so that many clients do not return at once."""
    default_pause_s: float = 2.0
    """Seconds to pause after a loading or busy response without Retry-After."""

    def __post_init__(self) -> None:
        check_not_negative(self)


class Probe:
    """The one request of a half-open circuit; only its own outcome ends it."""


class CircuitBreaker:
    """The breaker of one backend. Every `admit` is followed by one of the three outcomes."""

    def __init__(
        self, name: str, *, policy: BreakerPolicy, clock: Clock, rng: random.Random
    ) -> None:
        self._name = name
        self._policy = policy
        self._clock = clock
        self._rng = rng
        self._calls: deque[bool] = deque(maxlen=policy.window)
        self._in_a_row = 0
        self._cause: BackendError | None = None  # why requests are refused, if they are
        self._opened = False
        self._probe: Probe | None = None
        self._retry_at = -math.inf
        self._cooldown = Backoff(
            first_s=policy.cooldown_s, longest_s=policy.longest_cooldown_s, jitter=policy.jitter
        )
        self._n_openings = 0  # in a row
        self._closed_at = -math.inf
        self._paused_until = -math.inf
        self._blocked = False

    @property
    def state(self) -> CircuitState:
        """State of the circuit now."""
        if self._blocked:
            return CircuitState.OPEN
        if not self._opened:
            return CircuitState.CLOSED
        if self._clock.monotonic() < self._retry_at:
            return CircuitState.OPEN
        return CircuitState.HALF_OPEN

    @property
    def probing(self) -> bool:
        """True while the only request of a half-open circuit is running."""
        return self._probe is not None

    @property
    def retry_in_s(self) -> float:
        """Seconds until the next request is possible; infinite if only an admin can help."""
        if self._blocked:
            return math.inf
        until = max(self._paused_until, self._retry_at if self._opened else -math.inf)
        return max(0.0, until - self._clock.monotonic())

    def refusal(self) -> BackendError | None:
        """Return why a request is refused now, or None if it is admitted."""
        if self._cause is not None and (self._blocked or self._paused):
            return self._again(self._cause)
        if self.state is CircuitState.OPEN or (self._opened and self.probing):
            return self._circuit_open()
        return None

    def late_refusal(self) -> BackendError | None:
        """Return why no listener should wait for the probe of a half-open circuit, or None.

        Its last failure was a timeout, so the next one would again be noticed only after a silence.
        """
        late = self._opened and isinstance(self._cause, BackendTimeoutError)
        return self._circuit_open() if late else None

    def admit(self) -> Probe | None:
        """Let one request through; when half-open, return the probe that it becomes.

        Raises:
            BackendError: as `refusal`.
        """
        refusal = self.refusal()
        if refusal is not None:
            raise refusal
        self._probe = Probe() if self._opened else None
        return self._probe

    def succeeded(self) -> None:
        """Record that an admitted request succeeded."""
        if self._opened:
            self._calls.clear()
            self._closed_at = self._clock.monotonic()
        self._opened, self._probe = False, None
        if not self._blocked and not self._paused:
            self._cause = None
        self._in_a_row = 0
        self._calls.append(True)

    def failed(self, error: BackendError, probe: Probe | None = None) -> None:
        """Record that a request, which may be the probe, or a health check failed."""
        was_probe = self.probing
        self.abandoned(probe)
        match error.consequence:
            case Consequence.NONE:
                pass
            case Consequence.UNTIL_ADMIN:
                self._blocked, self._cause = True, error
            case Consequence.PAUSE:
                self._pause(error)
            case Consequence.OPEN:
                self._open(error, was_probe=was_probe)
            case Consequence.COUNT:
                self._count(error, was_probe=was_probe)

    def abandoned(self, probe: Probe | None) -> None:
        """Record that a request, which may be the probe, was cancelled, or was invalid."""
        if probe is self._probe:
            self._probe = None

    def check_failed(self, error: BackendError, *, repeated: bool) -> bool:
        """Record that a health check failed; return whether requests are now known to fail.

        Args:
            error: Its failure.
            repeated: Whether so many failed in a row that a failure which may pass counts, too.
        """
        match error.consequence:
            case Consequence.NONE:
                fails = False
            case Consequence.COUNT:
                fails = repeated
            case _:
                fails = True
        fails = fails or self.state is CircuitState.HALF_OPEN
        if fails:
            self._trip(error)
        return fails

    def _trip(self, error: BackendError) -> None:
        if error.consequence in {Consequence.UNTIL_ADMIN, Consequence.PAUSE}:
            self.failed(error)
        else:
            self._open(error, was_probe=self.state is CircuitState.HALF_OPEN)

    def reset(self) -> None:
        """Reset everything: the admin has acted, or the backend is a new one."""
        self._calls.clear()
        self._in_a_row = 0
        self._opened, self._probe = False, None
        self._n_openings = 0
        self._closed_at = self._paused_until = self._retry_at = -math.inf
        self._cause, self._blocked = None, False

    def try_again(self) -> None:
        """Let one request try now, whatever the cool-down; only its success closes the circuit.

        For an admin's request. A closed circuit stays closed.
        """
        self._opened = self._opened or self._blocked
        self._blocked = False
        self._paused_until = self._retry_at = -math.inf

    def _count(self, error: BackendError, *, was_probe: bool) -> None:
        self._calls.append(False)
        self._in_a_row += 1
        failures = self._calls.count(False)
        policy = self._policy
        mostly_failing = len(
            self._calls
        ) >= policy.least_calls and failures >= policy.failure_share * len(self._calls)
        if was_probe or self._in_a_row >= policy.failures_in_a_row or mostly_failing:
            self._open(error, was_probe=was_probe)

    def _open(self, error: BackendError, *, was_probe: bool) -> None:
        if self.state is CircuitState.OPEN and self._opened:
            return
        since_closed_s = self._clock.monotonic() - self._closed_at
        again = was_probe or since_closed_s < self._policy.quick_reopening_s
        self._n_openings = self._n_openings + 1 if again else 1
        cooldown_s = self._cooldown.pause_s(self._n_openings, self._rng)
        self._opened, self._retry_at = True, self._clock.monotonic() + cooldown_s
        if not self._blocked and not self._paused:  # the longer-lasting cause is kept
            self._cause = error

    def _circuit_open(self) -> CircuitOpenError:
        last = self._cause
        cause = "" if last is None else Translatable(" Last: {detail}", detail=last.detail)
        return CircuitOpenError(
            Translatable(
                "{name} failed too often: its circuit breaker is open.{cause}",
                name=self._name,
                cause=cause,
            ),
            retry_after_s=self.retry_in_s,
            backend=self._name,
        )

    @property
    def _paused(self) -> bool:
        return self._clock.monotonic() < self._paused_until

    def _pause(self, error: BackendError) -> None:
        asked_s = error.retry_after_s
        pause_s = self._policy.default_pause_s if asked_s is None else asked_s
        self._paused_until = self._clock.monotonic() + pause_s
        if not self._blocked:
            self._cause = error

    def _again(self, error: BackendError) -> BackendError:
        remaining = None if self._blocked else self.retry_in_s
        return type(error)(
            error.detail, remedy=error.remedy, retry_after_s=remaining, backend=self._name
        )
