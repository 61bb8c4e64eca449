"""The probe of a half-open circuit: one request, which only its own outcome ends."""

from __future__ import annotations

import random

import pytest
from fake_clock import FakeClock

from vieneu_core.errors import BackendConnectionError, BackendNotLoadedError, CircuitOpenError
from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker, Probe


async def half_open(clock: FakeClock) -> tuple[CircuitBreaker, Probe | None, Probe | None]:
    """Return a half-open circuit, a request from before it opened, and its probe."""
    policy = BreakerPolicy(jitter=0)
    one = CircuitBreaker("remote", policy=policy, clock=clock, rng=random.Random(1))
    earlier = one.admit()
    one.check_failed(BackendConnectionError("gone"), repeated=True)
    await clock.advance(6)
    return one, earlier, one.admit()


async def test_a_request_that_is_not_the_probe_leaves_no_room_for_another(
    clock: FakeClock,
) -> None:
    one, earlier, probe = await half_open(clock)
    one.abandoned(earlier)
    one.failed(BackendNotLoadedError("not loaded"), earlier)
    assert one.probing
    with pytest.raises(CircuitOpenError):
        one.admit()
    one.abandoned(probe)
    assert not one.probing
    one.admit()


async def test_the_failure_of_an_earlier_request_opens_it_and_leaves_the_probe(
    clock: FakeClock,
) -> None:
    one, earlier, probe = await half_open(clock)
    one.failed(BackendConnectionError("gone"), earlier)
    assert one.probing
    await clock.advance(20)
    with pytest.raises(CircuitOpenError):
        one.admit()
    one.succeeded()
    one.abandoned(probe)
    one.admit()
    one.admit()
