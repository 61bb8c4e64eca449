"""Backends that were too slow for a request: only one that is known to be fast is asked again."""

from __future__ import annotations

import random

import pytest
from fake_clock import FakeClock

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import BackendTimeoutError
from vieneu_core.router.asked_last import AskedLast
from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker
from vieneu_core.router.measured_speed import MadeSentence
from vieneu_core.router.refusal import too_slow
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.testing.scripted import ScriptedBackend

AFTER = 2
"""Sentences of another one, after which a backend is asked again."""


def made(audio_s: float, waited_s: float) -> MadeSentence:
    return MadeSentence(
        audio_s=audio_s, waited_s=waited_s, first_audio_s=waited_s, estimated_s=audio_s
    )


@pytest.fixture
def slow() -> TrackedBackend:
    """A ready backend that is known to be slower than playback."""
    clock = FakeClock()
    breaker = CircuitBreaker("local", policy=BreakerPolicy(), clock=clock, rng=random.Random(1))
    backend = ScriptedBackend(name="local", clock=clock)
    tracked = TrackedBackend(
        backend, name="local", breaker=breaker, clock=clock, on_change=lambda: None
    )
    tracked.health_checked(Health(state=BackendState.READY))
    with tracked.backlog.running(4.0) as running:
        running.measured(made(4.0, 8.0))
    return tracked


def probe(tracked: TrackedBackend, *, audio_s: float, waited_s: float) -> None:
    with tracked.backlog.running(audio_s) as running:
        running.measured_anew(made(audio_s, waited_s))


@pytest.mark.parametrize(
    ("audio_s", "waited_s", "returns"),
    [
        (0.8, 1.6, False),
        (0.8, 1.4, False),
        (1.0, 1.5, False),
        (1.9, 2.3, False),
        (0.0, 3.0, False),
        (4.0, 5.0, False),
        (4.0, 4.3, False),
        (0.8, 0.6, True),
        (0.8, 0.2, True),
        (4.0, 2.0, True),
    ],
)
def test_a_test_sentence_returns_a_reading_only_to_a_backend_it_shows_to_be_fast(
    slow: TrackedBackend, *, audio_s: float, waited_s: float, returns: bool
) -> None:
    asked_last = AskedLast(AFTER)
    asked_last.add(slow, too_slow("local", 2.0), 0)
    assert asked_last.has(slow, AFTER)
    for _ in range(3):  # not after the first one, nor after later ones
        probe(slow, audio_s=audio_s, waited_s=waited_s)
        assert asked_last.has(slow, AFTER) is not returns
        assert slow.speed.needs_a_lead is not returns


def test_a_backend_that_failed_otherwise_is_asked_again_whatever_its_speed(
    slow: TrackedBackend,
) -> None:
    asked_last = AskedLast(AFTER)
    asked_last.add(slow, BackendTimeoutError("It did not respond."), 0)

    assert asked_last.has(slow, AFTER - 1)
    assert not asked_last.has(slow, AFTER)
