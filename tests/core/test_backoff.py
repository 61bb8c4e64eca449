"""Pauses that grow, up to the longest, and vary by their jitter."""

from __future__ import annotations

import math
import random

import pytest

from vieneu_core.backoff import Backoff


def test_each_pause_is_longer_than_the_last_up_to_the_longest() -> None:
    backoff = Backoff(first_s=0.5, longest_s=3.0)
    assert [backoff.pause_s(n) for n in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_failure_that_was_not_counted_is_the_first() -> None:
    assert Backoff(first_s=2.0, longest_s=9.0).pause_s(0) == 2.0


def test_endless_failures_overflow_nothing() -> None:
    assert Backoff(first_s=0.1, longest_s=60.0, factor=10).pause_s(10**9) == 60.0


def test_the_longest_may_be_left_open() -> None:
    assert Backoff(first_s=1.0, longest_s=math.inf).pause_s(11) == 1024.0


def test_without_a_pause_there_is_none() -> None:
    assert Backoff(first_s=0.0, longest_s=60.0).pause_s(10**9) == 0.0


def test_jitter_varies_a_pause_by_its_share_at_most() -> None:
    backoff = Backoff(first_s=10.0, longest_s=10.0, jitter=0.2)
    pauses = [backoff.pause_s(1, random.Random(seed)) for seed in range(200)]
    assert min(pauses) == pytest.approx(8.0, abs=0.3)
    assert max(pauses) == pytest.approx(12.0, abs=0.3)
    assert backoff.pause_s(1) == 10.0


@pytest.mark.parametrize("longest_s", [0.0, 1.0, 60.0])
def test_no_pause_exceeds_the_longest_even_where_that_is_less_than_the_first(
    longest_s: float,
) -> None:
    backoff = Backoff(first_s=100.0, longest_s=longest_s)
    assert [backoff.pause_s(n) for n in (1, 2)] == [longest_s, longest_s]


def test_pauses_may_grow_without_a_limit() -> None:
    backoff = Backoff(first_s=0.1, longest_s=math.inf)
    assert backoff.pause_s(5) == pytest.approx(1.6)
    assert backoff.pause_s(10**9) == math.inf
    assert Backoff(first_s=0.0, longest_s=math.inf).pause_s(10**9) == 0.0
