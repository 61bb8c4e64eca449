"""Announcements are prepared at a pace that leaves room in the limit of the remote's server."""

from __future__ import annotations

from pathlib import Path

import pytest
from cache_rig import LOST, CacheRig, LeapingClock, Limited, cache_rig

from vieneu_core.errors import (
    BackendError,
    NothingToSayError,
    RateLimitedError,
    UnpronounceableError,
)
from vieneu_core.preparer import LONGEST_WAIT_S, Preparer
from vieneu_core.request_pace import RequestPace
from vieneu_core.router import Mode
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep

pytestmark = pytest.mark.usefixtures("no_leaks")


def request(n: int) -> SynthesisRequest:
    return SynthesisRequest(text=f"Đây là câu {n} nhé.")


def preparer_of(rig: CacheRig) -> Preparer:
    return Preparer(rig.backend, rig.router, pace=RequestPace(LeapingClock(rig.clock)))


async def test_the_limit_of_the_server_is_never_reached(tmp_path: Path) -> None:
    remote = Limited(per_minute=60)
    async with cache_rig(tmp_path, remote=remote) as rig:
        preparer = preparer_of(rig)
        for n in range(70):
            assert await preparer.prepare(request(n))

    sent = remote.sent_at_s
    assert remote.n_refused == 0
    assert sent[-1] - sent[0] == pytest.approx(69 * 1.5)


async def test_each_request_of_an_announcement_counts(tmp_path: Path) -> None:
    remote = Limited(per_minute=60)
    async with cache_rig(tmp_path, remote=remote) as rig:
        preparer = preparer_of(rig)
        for n in range(3):
            text = f"Đây là câu {n} nhé. Câu {n + 50} ở đây. Còn câu {n + 90} nữa."
            assert await preparer.prepare(SynthesisRequest(text=text))

    began_s = remote.sent_at_s[0]
    assert [at_s - began_s for at_s in remote.sent_at_s] == [0, 0, 3, 3, 6, 6]


async def test_only_what_was_sent_to_the_remote_is_paced(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        preparer = preparer_of(rig)
        assert await preparer.prepare(request(1))
        assert not await preparer.prepare(request(1))
        began_s = rig.clock.monotonic()
        for _ in range(3):
            assert not await preparer.prepare(request(1))
            with pytest.raises(NothingToSayError):
                await preparer.prepare(SynthesisRequest(text="…"))
        assert rig.clock.monotonic() == began_s, "the cache answers at once"
    async with cache_rig(tmp_path / "local", mode=Mode.LOCAL) as rig:
        preparer, began_s = preparer_of(rig), rig.clock.monotonic()
        for n in range(3):
            assert await preparer.prepare(request(n))
        assert rig.clock.monotonic() == began_s


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("pause_s", [3.0, 20.0])
async def test_a_pause_that_the_server_asks_for_is_waited_for(
    tmp_path: Path, fallback: bool, pause_s: float
) -> None:
    async with cache_rig(tmp_path, fallback=fallback) as rig:
        limited = RateLimitedError("Too many.", retry_after_s=pause_s)
        rig.remote.script = [ScriptStep(error=limited)]
        began_s = rig.clock.monotonic()

        assert await preparer_of(rig).prepare(request(1))

        assert pause_s <= rig.clock.monotonic() - began_s <= max(pause_s, 5.0) + 1.5
        assert len(rig.remote.record.requests) == 2


@pytest.mark.parametrize(("pause_s", "n_requests"), [(3.0, 2), (LONGEST_WAIT_S + 1, 1)])
async def test_it_is_tried_once_more_only_and_never_after_a_long_pause(
    tmp_path: Path, pause_s: float, n_requests: int
) -> None:
    async with cache_rig(tmp_path, fallback=False) as rig:
        rig.remote.always = ScriptStep(error=RateLimitedError("Too many.", retry_after_s=pause_s))
        began_s = rig.clock.monotonic()

        with pytest.raises(BackendError):
            await preparer_of(rig).prepare(request(1))

        assert len(rig.remote.record.requests) == n_requests
        assert rig.clock.monotonic() - began_s <= 5.0 + 1.5


async def test_a_limit_of_before_says_nothing_of_a_later_failure(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        preparer = preparer_of(rig)
        rig.remote.script = [ScriptStep(error=RateLimitedError("Too many.", retry_after_s=3.0))]
        assert await preparer.prepare(request(1))
        began_s = rig.clock.monotonic()
        n_before = len(rig.remote.record.requests)

        rig.remote.always = ScriptStep(error=UnpronounceableError("It cannot be said."))
        with pytest.raises(BackendError):
            await preparer.prepare(request(2))

        assert len(rig.remote.record.requests) == n_before + 1
        assert rig.clock.monotonic() - began_s <= 1.5


async def test_what_fails_otherwise_is_not_tried_again(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        rig.remote.always = ScriptStep(error=LOST)
        began_s = rig.clock.monotonic()

        with pytest.raises(BackendError):
            await preparer_of(rig).prepare(request(1))

        assert rig.clock.monotonic() == began_s
