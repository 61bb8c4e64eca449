"""What the router knows of one backend, from requests, health checks and the admin."""

from __future__ import annotations

import asyncio
import dataclasses
import random

import pytest
from fake_clock import FakeClock

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import (
    BackendConnectionError,
    BackendError,
    BackendLoadingError,
    BackendTimeoutError,
    BackendUnavailableError,
    CircuitOpenError,
    EmptyTextError,
    SessionEndingError,
    TunnelOfflineError,
)
from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker, CircuitState
from vieneu_core.router.events import ErrorReport
from vieneu_core.router.failure import Failure
from vieneu_core.router.session_countdown import SessionClock, SessionPolicy
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.testing.scripted import ScriptedBackend

READY = Health(state=BackendState.READY)


class Rig:
    """One tracked backend, and how often it reported a change."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.n_changes = 0
        policy = BreakerPolicy(jitter=0)
        self.tracked = TrackedBackend(
            ScriptedBackend(name="remote", clock=self.clock),
            name="remote",
            breaker=CircuitBreaker("remote", policy=policy, clock=self.clock, rng=random.Random(1)),
            clock=self.clock,
            on_change=self._changed,
            session=SessionClock(policy=SessionPolicy(), clock=self.clock),
        )
        self.tracked.health_checked(READY)

    def _changed(self) -> None:
        self.n_changes += 1

    def fail(self, error: BackendError) -> None:
        """Let a request through that fails."""
        probe = self.tracked.admit(1.0, last_chance=True)
        with pytest.raises(type(error)), self.tracked.attempt(probe):
            raise error

    def state(self) -> BackendState:
        """The state, as a call: it changes between two of them."""
        return self.tracked.state


def test_a_lease_ends_with_its_block_also_by_an_error() -> None:
    rig = Rig()
    with pytest.raises(ZeroDivisionError), rig.tracked.lease():
        fail_in(rig.tracked)
    assert not rig.tracked.in_use


def fail_in(tracked: TrackedBackend) -> None:
    assert tracked.in_use
    raise ZeroDivisionError


def test_a_retired_backend_is_idle_once_its_last_lease_has_ended() -> None:
    rig = Rig()
    idle: list[str] = []
    with rig.tracked.lease(), rig.tracked.lease():
        n_changes = rig.n_changes
        rig.tracked.retire(lambda: idle.append("idle"))
        rig.tracked.health_checked(READY)
        assert idle == []
    assert idle == ["idle"]
    assert rig.n_changes == n_changes, "the name belongs to another backend by then"


def test_a_retired_backend_without_a_lease_is_idle_at_once() -> None:
    idle: list[str] = []
    Rig().tracked.retire(lambda: idle.append("idle"))
    assert idle == ["idle"]


def test_a_failed_request_makes_it_suspect_until_it_answers() -> None:
    rig = Rig()
    rig.fail(BackendConnectionError("broke off"))
    assert rig.tracked.failures.suspect
    assert rig.state() is BackendState.READY, "one failure proves nothing"
    rig.tracked.health_checked(READY)
    assert not rig.tracked.failures.suspect
    assert isinstance(rig.tracked.last_error, BackendConnectionError), "kept for the admin"
    assert rig.tracked.last_error.backend == "remote"


@pytest.mark.parametrize("error", [EmptyTextError("nothing"), asyncio.CancelledError()])
def test_a_request_that_was_cancelled_or_wrong_says_nothing_of_the_backend(
    error: BaseException,
) -> None:
    rig = Rig()
    for _ in range(5):
        probe = rig.tracked.admit(1.0)
        with pytest.raises(type(error)), rig.tracked.attempt(probe):
            raise error
    assert not rig.tracked.failures.suspect
    assert rig.tracked.usable


@pytest.mark.parametrize("error", [EmptyTextError("nothing"), asyncio.CancelledError()])
async def test_only_the_probe_ends_the_probe(error: BaseException) -> None:
    rig = Rig()
    earlier = rig.tracked.admit(1.0)
    rig.tracked.breaker.check_failed(BackendConnectionError("gone"), repeated=True)
    await rig.clock.advance(6.0)
    probe = rig.tracked.admit(1.0)
    with pytest.raises(type(error)), rig.tracked.attempt(earlier):
        raise error
    last_chance = rig.tracked.admit(1.0, last_chance=True)
    rig.tracked.abandon(last_chance, late_chars=40)
    with pytest.raises(CircuitOpenError):
        rig.tracked.admit(1.0)
    with pytest.raises(type(error)), rig.tracked.attempt(probe):
        raise error
    assert rig.tracked.admit(1.0) is not None


def test_failures_that_open_the_circuit_are_the_state() -> None:
    rig = Rig()
    for n in range(3):
        rig.fail(BackendConnectionError(f"failure {n}"))
    assert rig.state() is BackendState.UNREACHABLE
    rig.tracked.health_checked(READY)
    assert rig.state() is BackendState.UNREACHABLE, "healthy, but it has not spoken since"
    assert rig.tracked.why_not_ready().detail == "failure 2"


async def test_a_passing_failure_does_not_hide_the_one_that_explains_the_state() -> None:
    rig = Rig()
    rig.tracked.health_check_failed(BackendLoadingError("loading"), tolerated=1)
    assert rig.state() is BackendState.LOADING
    await rig.clock.advance(3.0)  # its pause has ended
    rig.fail(BackendTimeoutError("no answer"))
    assert rig.state() is BackendState.LOADING
    assert isinstance(rig.tracked.last_error, BackendLoadingError)
    rig.tracked.health_check_failed(TunnelOfflineError("gone"), tolerated=1)
    assert rig.state() is BackendState.UNREACHABLE


def test_silence_counts_only_where_it_is_repeated() -> None:
    rig = Rig()
    rig.tracked.health_check_failed(BackendTimeoutError("no answer"), tolerated=1)
    assert rig.state() is BackendState.DEGRADED
    assert rig.tracked.failures.n_failed_checks == 1
    rig.tracked.health_check_failed(BackendTimeoutError("no answer"), tolerated=1)
    assert rig.state() is BackendState.UNREACHABLE
    assert rig.tracked.breaker.state is CircuitState.OPEN


def test_the_admin_may_reset_what_failed() -> None:
    rig = Rig()
    rig.tracked.health_check_failed(BackendUnavailableError("503"), tolerated=0)
    assert rig.state() is BackendState.FAILED
    rig.tracked.reset()
    assert rig.tracked.last_error is None
    assert rig.tracked.usable


async def test_only_a_load_ends_the_unloading_by_the_admin() -> None:
    rig = Rig()
    await rig.tracked.unload_by_admin()
    assert rig.state() is BackendState.UNLOADED
    rig.tracked.health_checked(READY)
    assert rig.tracked.unloaded_by_admin
    with rig.tracked.loading():
        assert rig.state() is BackendState.LOADING
        assert not rig.tracked.unloaded_by_admin
    assert rig.state() is BackendState.READY


async def test_a_probe_may_come_where_speech_may_not() -> None:
    rig = Rig()
    rig.tracked.health_checked(Health(state=BackendState.READY, remaining_s=20.0))
    await rig.clock.advance(5.0)
    with pytest.raises(SessionEndingError):
        rig.tracked.admit(30.0)
    assert rig.tracked.idle_s == 0.0, "it was wanted all the same"
    await rig.clock.advance(20.0)
    rig.tracked.admit(None)
    assert rig.tracked.idle_s == pytest.approx(20.0), "a probe is no use"


def test_the_last_chance_ignores_an_open_circuit_and_nothing_else() -> None:
    rig = Rig()
    rig.tracked.breaker.check_failed(BackendConnectionError("gone"), repeated=True)
    with pytest.raises(CircuitOpenError):
        rig.tracked.admit(1.0)
    rig.tracked.admit(1.0, last_chance=True)
    rig.tracked.reset()
    rig.tracked.breaker.failed(BackendLoadingError("loading", retry_after_s=5))
    with pytest.raises(BackendLoadingError):
        rig.tracked.admit(1.0, last_chance=True)


def test_a_failure_is_a_value() -> None:
    error = BackendConnectionError("gone")
    failure = Failure(error, certain=True, report=ErrorReport.of(error))
    with pytest.raises(dataclasses.FrozenInstanceError):
        failure.certain = False  # type: ignore[misc] # what is tried
    assert failure.state is BackendState.UNREACHABLE
