"""A worker that watermarks shows all the while that it works."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import cast

from fake_clock import FakeClock
from guard import GUARD_S

from vieneu_core.audio.watermark import Watermarker
from vieneu_core.router.policy import RouterPolicy
from vieneu_core.worker.activity import Activity
from vieneu_core.worker.spec import WorkerTimes
from vieneu_core.worker.watermarking import SIGN_OF_LIFE_S, Watermarking

PLAIN = bytes(48_000)


async def test_no_limit_for_a_silent_engine_is_reached_between_two_signs(clock: FakeClock) -> None:
    policy, activity = RouterPolicy(), Activity(clock, longest_s=WorkerTimes().stall_s)
    for _ in range(5):  # a fast engine, for which the limits are the shortest
        activity.begin(20)
        await clock.advance(0.01)
        activity.end()
    activity.begin(20)
    most_s = 2 * SIGN_OF_LIFE_S  # a sign may be late

    await clock.advance(most_s)

    assert activity.usual
    assert most_s < activity.hang_after_s
    assert most_s < min(policy.replaceable_stall_s, policy.first_audio_s)
    assert most_s < WorkerTimes().cancel_s, "a cancelled sentence ends at the next sign"


class Slow:
    """A watermarker that takes as long as it is told to."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.at_once = 0
        self.most_at_once = 0

    def apply(self, pcm: bytes, sample_rate_hz: int) -> bytes:
        assert sample_rate_hz == 24_000
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.may_end.wait(GUARD_S)
        self.at_once -= 1
        return bytes(len(pcm))


def test_a_sentence_that_is_marked_for_long_gives_signs_of_life() -> None:
    slow = Slow()
    watermarking = Watermarking(lambda: cast("Watermarker", slow), sign_of_life_s=0.01)
    cancelled = cast("Generator[bytes, None, None]", watermarking.mark(iter((PLAIN,)), 24_000))
    n_before = first_signs(cancelled, slow)
    cancelled.close()

    pieces = watermarking.mark(iter((PLAIN,)), 24_000)
    signs = [next(pieces) for _ in range(n_before + 5)]
    slow.may_end.set()

    assert not any(signs)
    assert len(b"".join(pieces)) == len(PLAIN)
    assert slow.most_at_once == 1, "the next sentence waits for the cancelled one"


def first_signs(pieces: Iterator[bytes], slow: Slow) -> int:
    """Take signs until the sentence is being marked, and some more; return how many they were."""
    n_signs = n_while_marked = 0
    while n_while_marked < 3:
        assert next(pieces) == b""
        n_signs += 1
        n_while_marked += slow.at_once
    return n_signs
