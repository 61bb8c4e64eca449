"""The circuit breaker, on a clock that the test moves."""

from __future__ import annotations

import asyncio
import math
import random

import pytest
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from vieneu_core.errors import (
    AuthenticationError,
    BackendBusyError,
    BackendConnectionError,
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    BackendTimeoutError,
    CircuitOpenError,
    TunnelLimitError,
    TunnelOfflineError,
    TunnelQuotaError,
)
from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker, CircuitState


def breaker(clock: FakeClock, policy: BreakerPolicy | None = None) -> CircuitBreaker:
    return CircuitBreaker(
        "remote", policy=policy or BreakerPolicy(jitter=0), clock=clock, rng=random.Random(1)
    )


def lost() -> BackendError:
    return BackendConnectionError("gone", backend="remote")


def state(one: CircuitBreaker) -> CircuitState:
    """The state, as a call: it changes between two of them."""
    return one.state


def fail(one: CircuitBreaker, error: BackendError | None = None) -> None:
    probe = one.admit()
    one.failed(error or lost(), probe)


def succeed(one: CircuitBreaker) -> None:
    one.admit()
    one.succeeded()


def test_three_failures_in_a_row_open_it() -> None:
    one = breaker(FakeClock())
    fail(one)
    fail(one)
    assert state(one) is CircuitState.CLOSED
    fail(one)
    assert state(one) is CircuitState.OPEN
    with pytest.raises(CircuitOpenError, match=r"circuit breaker is open\..*gone") as caught:
        one.admit()
    assert caught.value.backend == "remote"
    assert caught.value.retry_after_s == pytest.approx(5.0)


def test_a_success_between_failures_keeps_it_closed() -> None:
    one = breaker(FakeClock())
    for _ in range(2):
        succeed(one)
        fail(one)
    assert state(one) is CircuitState.CLOSED


def test_half_of_five_recent_calls_open_it_though_never_three_in_a_row() -> None:
    one = breaker(FakeClock())
    fail(one)
    succeed(one)
    fail(one)
    succeed(one)
    assert state(one) is CircuitState.CLOSED  # four calls are too few to judge by share
    fail(one)
    assert state(one) is CircuitState.OPEN


async def test_only_one_probe_is_let_through_after_the_cool_down() -> None:
    clock = FakeClock()
    one = breaker(clock)
    for _ in range(3):
        fail(one)
    await clock.advance(4.9)
    assert state(one) is CircuitState.OPEN
    await clock.advance(0.2)
    assert state(one) is CircuitState.HALF_OPEN
    one.admit()
    assert one.probing
    with pytest.raises(CircuitOpenError):
        one.admit()
    one.succeeded()
    assert state(one) is CircuitState.CLOSED
    one.admit()
    one.admit()  # closed again: everybody passes


async def test_failed_probes_double_the_cool_down_up_to_its_limit_and_time_resets_it() -> None:
    clock = FakeClock()
    one = breaker(clock)
    for _ in range(3):
        fail(one)
    waits = []
    for _ in range(6):
        waits.append(round(one.retry_in_s))
        await clock.advance(one.retry_in_s)
        fail(one)
    assert waits == [5, 10, 20, 40, 60, 60]
    await clock.advance(one.retry_in_s)
    succeed(one)
    await clock.advance(BreakerPolicy().quick_reopening_s + 1)
    for _ in range(3):
        fail(one)
    assert one.retry_in_s == pytest.approx(5.0)


async def test_a_circuit_that_opens_again_soon_cools_down_for_longer_each_time() -> None:
    clock = FakeClock()
    one = breaker(clock)
    waits = []
    for _ in range(5):
        one.check_failed(lost(), repeated=True)
        waits.append(round(one.retry_in_s))
        await clock.advance(one.retry_in_s + 1)
        succeed(one)
    assert waits == [5, 10, 20, 40, 60]


async def test_no_listener_waits_for_the_probe_after_a_timeout() -> None:
    clock = FakeClock()
    one = breaker(clock)
    one.check_failed(BackendTimeoutError("nothing came"), repeated=True)
    await clock.advance(6)
    assert state(one) is CircuitState.HALF_OPEN
    assert isinstance(one.late_refusal(), CircuitOpenError)
    succeed(one)
    assert one.late_refusal() is None
    one.check_failed(lost(), repeated=True)
    await clock.advance(60)
    assert one.late_refusal() is None, "a refused connection is noticed at once"


async def test_a_probe_that_is_cancelled_leaves_room_for_the_next() -> None:
    clock = FakeClock()
    one = breaker(clock)
    one.check_failed(lost(), repeated=True)
    await clock.advance(6)
    one.abandoned(one.admit())
    assert state(one) is CircuitState.HALF_OPEN
    one.admit()


def test_what_is_the_callers_fault_or_cancelled_does_not_count() -> None:
    one = breaker(FakeClock())
    for _ in range(10):
        one.abandoned(one.admit())
        one.failed(BackendNotLoadedError("not loaded"), one.admit())
    assert state(one) is CircuitState.CLOSED
    assert one.refusal() is None


def test_a_dead_tunnel_opens_it_at_once() -> None:
    one = breaker(FakeClock())
    fail(one, TunnelOfflineError("gone"))
    assert state(one) is CircuitState.OPEN


@pytest.mark.parametrize(
    ("error", "pause_s"),
    [
        (BackendLoadingError("loading", retry_after_s=7), 7),
        (BackendBusyError("busy"), 2),
        (TunnelLimitError("limit", retry_after_s=60), 60),
        (TunnelQuotaError("quota", retry_after_s=864_000), 864_000),
    ],
)
async def test_a_pause_is_kept_for_its_time_with_the_same_reason(
    error: BackendError, pause_s: float
) -> None:
    clock = FakeClock()
    one = breaker(clock)
    for _ in range(5):
        one.failed(error)
    assert state(one) is CircuitState.CLOSED
    refusal = one.refusal()
    assert type(refusal) is type(error)
    assert refusal.retry_after_s == pytest.approx(pause_s)
    await clock.advance(pause_s - 0.5)
    assert one.refusal() is not None
    await clock.advance(1)
    assert one.refusal() is None
    assert one.retry_in_s == 0


async def test_a_rejected_token_stops_all_asking_until_the_admin_acts() -> None:
    clock = FakeClock()
    one = breaker(clock)
    fail(one, AuthenticationError("wrong token"))
    await clock.advance(30 * 86_400)
    assert state(one) is CircuitState.OPEN
    assert one.retry_in_s == math.inf
    with pytest.raises(AuthenticationError, match="wrong token"):
        one.admit()
    one.reset()
    one.admit()


def test_cool_downs_vary_so_that_homes_do_not_return_together() -> None:
    policy = BreakerPolicy(jitter=0.2)
    waits = set()
    for seed in range(20):
        one = CircuitBreaker("r", policy=policy, clock=FakeClock(), rng=random.Random(seed))
        one.check_failed(lost(), repeated=True)
        waits.add(round(one.retry_in_s, 3))
    assert len(waits) > 15
    assert all(4.0 <= wait <= 6.0 for wait in waits)


ACTIONS = st.lists(st.sampled_from(["ok", "fail", "cancel", "busy", "wait"]), max_size=60)


@given(ACTIONS)
def test_whatever_happens_it_lets_requests_through_again_in_the_end(actions: list[str]) -> None:
    async def play() -> None:
        clock = FakeClock()
        one = breaker(clock)
        for action in actions:
            if action == "wait":
                await clock.advance(3)
                continue
            if one.refusal() is not None:
                continue
            probe = one.admit()
            if action == "ok":
                one.succeeded()
                assert state(one) is CircuitState.CLOSED
            elif action == "cancel":
                one.abandoned(probe)
            else:
                one.failed(BackendBusyError("busy") if action == "busy" else lost(), probe)
        await clock.advance(120)
        assert one.refusal() is None

    asyncio.run(play())


async def test_speech_that_began_before_a_pause_does_not_end_it() -> None:
    clock = FakeClock()
    one = breaker(clock)
    one.admit()
    one.admit()
    one.failed(TunnelLimitError("too many a minute", retry_after_s=60))
    one.succeeded()
    with pytest.raises(TunnelLimitError):
        one.admit()
    await clock.advance(60)
    one.admit()


async def test_failures_during_a_pause_do_not_hide_its_reason() -> None:
    clock = FakeClock()
    one = breaker(clock)
    one.failed(BackendBusyError("busy", retry_after_s=60))
    for _ in range(3):
        one.failed(lost())
    assert isinstance(one.refusal(), BackendBusyError)
    await clock.advance(60)
    assert state(one) is CircuitState.HALF_OPEN
    one.admit()


def test_a_rejected_token_outlasts_what_else_fails_or_succeeds() -> None:
    one = breaker(FakeClock())
    one.failed(AuthenticationError("wrong token"))
    one.failed(BackendBusyError("busy", retry_after_s=60))
    one.failed(lost())
    one.succeeded()
    refusal = one.refusal()
    assert isinstance(refusal, AuthenticationError)
    assert refusal.retry_after_s is None
    one.try_again()
    one.admit()
