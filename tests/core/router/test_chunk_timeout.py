"""Limits of the waits for a backend, as arithmetic: no time passes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from fake_clock import FakeClock

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import BackendBusyError, BackendTimeoutError
from vieneu_core.router import RouterPolicy
from vieneu_core.router.alternatives import Alternatives
from vieneu_core.router.asked_last import AskedLast
from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker
from vieneu_core.router.chunk_timeout import ChunkTimeout
from vieneu_core.router.outbox import Outbox
from vieneu_core.router.received_sentence import ReceivedSentence
from vieneu_core.router.route import Route
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.testing.scripted import ScriptedBackend

POLICY = RouterPolicy()
BUSY = BackendBusyError("The queue is full.")
GONE = BackendTimeoutError("It sent nothing.")


class Rig:
    """Three ready backends of unknown speed, and a request for them."""

    def __init__(self, policy: RouterPolicy = POLICY) -> None:
        self.clock = FakeClock()
        self.policy = policy
        self.backends = tuple(map(self._tracked, ("remote", "local", "last_resort")))
        self.asked_last = AskedLast(2)
        self.alternatives = Alternatives(Route(self.backends), self.asked_last)
        self.outbox = Outbox(self.clock, prefetched_sentences=2)

    def _tracked(self, name: str) -> TrackedBackend:
        breaker = CircuitBreaker(
            name, policy=BreakerPolicy(), clock=self.clock, rng=random.Random(1)
        )
        tracked = TrackedBackend(
            ScriptedBackend(name=name, clock=self.clock),
            name=name,
            breaker=breaker,
            clock=self.clock,
            on_change=lambda: None,
        )
        tracked.health_checked(Health(state=BackendState.READY))
        return tracked

    def failed(self, at: int, error: BackendBusyError | BackendTimeoutError) -> None:
        self.asked_last.add(self.backends[at], error, 0)
        self.alternatives.failed(self.backends[at], error)

    def limits(self, at: int, *, n_failures: int = 0, turn_in_s: float = 0.0) -> ChunkTimeout:
        self.alternatives.n_failures = n_failures
        return ChunkTimeout(
            self.backends[at],
            policy=self.policy,
            outbox=self.outbox,
            alternatives=self.alternatives,
            turn_in_s=turn_in_s,
            sentence_s=2.0,
        )


def first(limits: ChunkTimeout) -> float:
    return limits.seconds(ReceivedSentence())


@pytest.mark.parametrize(
    "signs", [(True, False), (False, False, False), (True, True), (False,), ()]
)
async def test_a_hang_costs_little_more_than_3_s_whatever_signs_came_before(
    signs: tuple[bool, ...],
) -> None:
    rig = Rig()
    limits, sentence = rig.limits(0), ReceivedSentence()
    for waits in signs:
        sentence.shows_life(waits=waits)
        await rig.clock.advance(0.8)
        sentence.waited_s += 0.8
    sentence.shows_life(waits=False)

    assert sentence.waited_s + limits.seconds(sentence) <= 3.2


async def test_a_wait_for_a_turn_ends_where_another_one_begins_sooner() -> None:
    rig = Rig()
    sentence = ReceivedSentence()
    sentence.shows_life(waits=True)
    await rig.clock.advance(1.0)
    sentence.waited_s += 1.0

    assert rig.limits(0).seconds(sentence) == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize(("turn_in_s", "limit_s"), [(0.0, 2.7), (1.0, 3.0), (20.0, 3.0)])
def test_a_silent_backend_is_left_after_3_s_whatever_its_turn(
    turn_in_s: float, limit_s: float
) -> None:
    assert first(Rig().limits(0, turn_in_s=turn_in_s)) == pytest.approx(limit_s)


def test_the_last_one_is_awaited_for_as_long_as_one_alone() -> None:
    rig = Rig()
    rig.failed(0, GONE)
    rig.failed(1, GONE)
    assert first(rig.limits(2)) == POLICY.stall_s


def rising(rig: Rig, at: int) -> list[float]:
    return [first(rig.limits(at, n_failures=n)) for n in range(3)]


@pytest.mark.parametrize(
    ("failed", "at", "limits_s"),
    [
        ({0: BUSY}, 1, [2.7, 2.7, 2.7]),  # the last resort could speak at once
        ({0: BUSY, 1: GONE}, 2, [2.7, 20.0, 20.0]),
        ({0: BUSY, 1: BUSY}, 2, [2.7, 20.0, 20.0]),
    ],
)
def test_one_whose_others_are_late_is_awaited_longer_the_second_time(
    failed: dict[int, BackendBusyError | BackendTimeoutError], at: int, limits_s: list[float]
) -> None:
    rig = Rig()
    for other, error in failed.items():
        rig.failed(other, error)

    assert rising(rig, at) == pytest.approx(limits_s)


def test_of_several_whose_others_are_late_the_last_in_a_round_is_awaited_longest() -> None:
    rig = Rig()
    for other in range(3):
        rig.failed(other, BUSY)
    rig.alternatives.begin_round(1)
    rig.failed(0, BUSY)

    assert first(rig.limits(1, n_failures=1)) == pytest.approx(5.4)
    rig.failed(1, BUSY)
    assert first(rig.limits(2, n_failures=1)) == POLICY.stall_s


def without_retries() -> Rig:
    return Rig(RouterPolicy(retry_for_s=0.0))


@pytest.mark.parametrize(("rig", "limit_s"), [(Rig, 2.7), (without_retries, 20.0)])
def test_nothing_is_shortened_for_a_late_one_where_no_other_round_follows(
    rig: Callable[[], Rig], limit_s: float
) -> None:
    here = rig()
    here.failed(0, BUSY)
    here.failed(1, BUSY)
    assert first(here.limits(2)) == pytest.approx(limit_s)
