"""Health checks: rare, and never without need."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Self

import pytest
from fake_clock import FakeClock
from router_rig import TEXT

from vieneu_core.backends.base import BackendState, Health, synthesize
from vieneu_core.errors import (
    BackendConnectionError,
    BackendTimeoutError,
    BackendUnavailableError,
    SessionEndingError,
    TunnelOfflineError,
    TunnelQuotaError,
    WorkerDiedError,
)
from vieneu_core.router import (
    Mode,
    QuotaWarning,
    RemoteLost,
    Router,
    RouterEvent,
    SessionExpired,
    SessionExpiring,
    TunnelQuota,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

DAY, WEEK = 86_400.0, 7 * 86_400.0
LEAST_A_WEEK, MOST_A_WEEK = 2_000 * 7 / 30, 3_000 * 7 / 30
"""Health checks: a month costs more than 2 000 requests, and 3 000 at most."""
HELLO = SynthesisRequest(text="Xin chào.")


class Watch:
    """A router that watches one scripted remote."""

    def __init__(self, mode: Mode = Mode.REMOTE, quota: TunnelQuota | None = None) -> None:
        self.clock = FakeClock()
        self.local = ScriptedBackend(name="local", clock=self.clock)
        self.remote = ScriptedBackend(name="remote", clock=self.clock)
        self.router = Router(
            local=self.local,
            remote=self.remote,
            mode=mode,
            clock=self.clock,
            rng=random.Random(3),
            quota=quota,
        )
        self.events: list[RouterEvent] = []
        self.router.subscribe(self.events.append)

    async def __aenter__(self) -> Self:
        await self.router.load()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.router.aclose()

    @property
    def health_checks(self) -> int:
        return self.remote.record.health_checks

    def published(self, kind: type[RouterEvent]) -> list[RouterEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def speak(self) -> None:
        await synthesize(self.router, HELLO)


async def test_an_idle_week_costs_no_more_than_its_part_of_a_month() -> None:
    async with Watch() as watch:
        await watch.clock.advance(WEEK)
        assert LEAST_A_WEEK < watch.health_checks <= MOST_A_WEEK


async def test_an_idle_remote_is_checked_every_ten_minutes_at_most_at_first() -> None:
    async with Watch() as watch:
        await watch.speak()
        await watch.clock.advance(3600)
        before = watch.health_checks
        await watch.clock.advance(3600)
        assert watch.health_checks - before == 6


async def test_after_an_announcement_the_remote_is_checked_every_30_seconds() -> None:
    async with Watch() as watch:
        await watch.clock.advance(DAY)
        await watch.speak()
        before = watch.health_checks
        await watch.clock.advance(290)
        assert watch.health_checks - before == 9


async def test_traffic_is_the_best_check_and_saves_the_others() -> None:
    async with Watch() as watch:
        await watch.speak()
        before = watch.health_checks
        for _ in range(60):
            await watch.clock.advance(20)
            await watch.speak()
        assert watch.health_checks == before


async def test_one_check_that_times_out_is_no_outage_two_are() -> None:
    async with Watch() as watch:
        await watch.speak()
        watch.remote.reported = BackendTimeoutError("no answer")
        await watch.clock.advance(31)
        status = watch.router.status().backend("remote")
        assert status is not None
        assert status.state is BackendState.DEGRADED
        assert watch.router.active == "remote"
        await watch.clock.advance(3)
        assert watch.router.active == "local"
        assert len(watch.published(RemoteLost)) == 1


async def test_after_a_failed_sentence_it_is_soon_checked_whether_the_remote_is_gone() -> None:
    async with Watch() as watch:
        watch.remote.script = [ScriptStep(error=BackendConnectionError("broke off"))]
        watch.remote.reported = BackendConnectionError("refused")
        await watch.speak()
        assert watch.router.active == "remote"
        await watch.clock.advance(5)
        assert watch.router.active == "local"
        assert len(watch.published(RemoteLost)) == 1


async def test_a_model_that_loads_after_a_crash_is_waited_for_without_spinning() -> None:
    async with Watch(Mode.LOCAL) as watch:
        watch.local.always = ScriptStep(error=WorkerDiedError("crashed"))
        for _ in range(3):
            with pytest.raises(WorkerDiedError):
                await asyncio.gather(watch.speak(), watch.clock.advance(30))
        watch.local.reported = Health(state=BackendState.LOADING)
        before = watch.local.record.health_checks
        await watch.clock.advance(120)
        assert 0 < watch.local.record.health_checks - before <= 60
        watch.local.reported, watch.local.always = None, ScriptStep()
        await watch.clock.advance(60)
        await watch.speak()


async def test_after_a_failed_sentence_a_healthy_check_keeps_the_remote() -> None:
    async with Watch() as watch:
        watch.remote.script = [ScriptStep(error=BackendConnectionError("broke off"))]
        await watch.speak()
        before = watch.health_checks
        await watch.clock.advance(25)
        assert watch.health_checks == before + 1
        assert watch.router.active == "remote"


async def test_a_check_that_times_out_while_the_remote_speaks_says_nothing() -> None:
    async with Watch() as watch:
        watch.remote.always = ScriptStep(chunk_delay_s=0.05)
        watch.remote.reported = BackendTimeoutError("the loop is blocked")
        stream = watch.router.stream(SynthesisRequest(text=TEXT))  # more than is prefetched
        task = asyncio.ensure_future(anext(stream))
        await watch.clock.advance(29)
        await task
        await watch.clock.advance(600)
        assert watch.router.active == "remote"
        assert watch.published(RemoteLost) == []
        await stream.aclose()


async def test_a_dead_tunnel_is_noticed_by_a_check_before_a_request() -> None:
    async with Watch() as watch:
        await watch.speak()
        watch.remote.reported = TunnelOfflineError("gone")
        await watch.clock.advance(31)
        assert watch.router.active == "local"


async def test_a_used_up_quota_is_left_alone_until_its_reset() -> None:
    async with Watch() as watch:
        watch.remote.script = [ScriptStep(error=TunnelQuotaError("used up", retry_after_s=5 * DAY))]
        await watch.speak()
        before = watch.health_checks
        await watch.clock.advance(4.9 * DAY)
        assert watch.health_checks == before
        assert watch.router.active == "local"
        await watch.clock.advance(0.2 * DAY)
        assert watch.router.active == "remote"


async def test_an_idle_outage_does_not_wear_out_the_quota() -> None:
    async with Watch() as watch:
        await watch.speak()
        watch.remote.reported = TunnelOfflineError("gone")
        watch.remote.load_error = TunnelOfflineError("gone")
        await watch.clock.advance(DAY)
        before = watch.health_checks + len(watch.remote.record.requests)
        await watch.clock.advance(DAY)
        assert watch.health_checks + len(watch.remote.record.requests) - before <= 100


async def test_a_session_of_twelve_hours_warns_at_30_and_5_minutes_and_at_its_end() -> None:
    async with Watch() as watch:
        born = watch.clock.monotonic()

        class Honest(ScriptedBackend):
            async def health(self) -> Health:
                await super().health()
                left = 12 * 3600 - (watch.clock.monotonic() - born)
                return Health(state=BackendState.READY, remaining_s=max(0.0, left))

        remote = Honest(name="remote", clock=watch.clock)
        await watch.router.set_remote(remote)
        watch.events.clear()
        await watch.clock.advance(11.4 * 3600)
        assert watch.events == []
        await watch.clock.advance(0.2 * 3600)
        (warned,) = watch.published(SessionExpiring)
        assert isinstance(warned, SessionExpiring)
        assert 1795 < warned.remaining_s <= 1800
        await watch.clock.advance(0.39 * 3600)
        assert len(watch.published(SessionExpiring)) == 2
        assert watch.router.active == "remote"
        await watch.clock.advance(120)
        assert watch.published(SessionExpired) == [SessionExpired()]
        assert watch.router.active == "local"


async def test_the_admin_is_warned_of_the_quota_and_it_is_kept(tmp_path: Path) -> None:
    clock = FakeClock()
    path = tmp_path / "budget.json"
    quota = TunnelQuota(path, clock=clock, monthly_requests=100)
    watch = Watch(quota=quota)
    async with watch:
        quota.record(75, 0)
        await watch.clock.advance(31)
        (warning,) = watch.published(QuotaWarning)
        assert isinstance(warning, QuotaWarning)
        assert warning.used == 0.75
        plain = watch.router.status().to_json()
        assert plain["quota"]["used"] == 0.75
        assert plain["budget"] == plain["quota"], "its former name"
    assert '"requests": 75' in path.read_text()


@pytest.mark.parametrize(
    "error",
    [BackendUnavailableError("503 from a gateway"), SessionEndingError("over, yet it answers")],
)
async def test_a_remote_that_is_up_but_unfit_is_asked_as_rarely_as_any(
    error: BackendUnavailableError,
) -> None:
    async with Watch() as watch:
        await watch.speak()
        watch.remote.reported = error
        before = watch.health_checks
        await watch.clock.advance(200)
        assert watch.health_checks - before < 12
        await watch.clock.advance(DAY)
        before = watch.health_checks
        await watch.clock.advance(DAY)
        assert watch.health_checks - before <= MOST_A_WEEK / 7


async def test_a_bug_that_ends_the_watch_is_not_kept_quiet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(ScriptedBackend):
        async def health(self) -> Health:
            raise ZeroDivisionError

    clock = FakeClock()
    router = Router(
        local=ScriptedBackend(name="local", clock=clock),
        remote=Broken(name="remote", clock=clock),
        mode=Mode.REMOTE,
        clock=clock,
    )
    await router.load()
    assert router.active == "local"
    assert "health monitor of remote" in caplog.text
    await router.aclose()
