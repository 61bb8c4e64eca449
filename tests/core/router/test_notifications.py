"""Events of the router: each change is published, and once."""

from __future__ import annotations

import asyncio

import pytest
from fake_clock import settle
from router_rig import (
    RouterRig,
    assert_heard,
    lost,
    speakers,
)

from vieneu_core import __version__
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import (
    AuthenticationError,
    BackendBusyError,
    BackendConnectionError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    RateLimitedError,
    TooSlowError,
    TunnelLimitError,
    TunnelOfflineError,
    TunnelQuotaError,
)
from vieneu_core.router import (
    BackendRecovered,
    BackendStateChanged,
    CircuitClosed,
    CircuitOpened,
    DefaultVoiceMissing,
    FailedBack,
    FailedOver,
    LocalLost,
    Mode,
    RemoteLost,
    RouterPolicy,
    ServerOutdated,
    WorkerRestarted,
)
from vieneu_core.testing.scripted import ScriptStep
from vieneu_core.wire.version import is_older


async def test_events_report_loss_failover_recovery_and_failback_each_once() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=TunnelOfflineError("the tunnel is gone"))
        rig.remote.reported = TunnelOfflineError("the tunnel is gone")
        for _ in range(3):
            assert_heard(await rig.speak())
        assert rig.router.active == "local"
        assert rig.router.mode is Mode.REMOTE
        assert rig.router.status().fallback_active
        await rig.clock.advance(200)
        assert len(rig.published(RemoteLost)) == len(rig.published(FailedOver)) == 1
        assert rig.published(FailedBack) == []
        assert len(rig.published(CircuitOpened)) == 1

        rig.remote.always, rig.remote.reported = ScriptStep(), None
        await rig.clock.advance(120)
        assert rig.router.active == "remote"
        assert len(rig.published(FailedBack)) == len(rig.published(CircuitClosed)) == 1
        assert rig.published(BackendRecovered) == [BackendRecovered(backend="remote")]
        assert set(speakers(await rig.speak())) == {"remote"}


async def test_a_local_backend_that_is_lost_is_reported_as_a_remote_one() -> None:
    async with RouterRig(mode=Mode.LOCAL) as rig:
        assert rig.router.status().ready == ("local", "last_resort")
        rig.local.always = ScriptStep(error=BackendConnectionError("it is off"))
        rig.local.reported = BackendConnectionError("it is off")
        for _ in range(3):
            assert_heard(await rig.speak())
        await rig.clock.advance(200)
        (event,) = rig.published(LocalLost)
        assert isinstance(event, LocalLost)
        assert event.cause.detail == "it is off"
        assert rig.published(RemoteLost) == []
        assert rig.router.status().ready == ("last_resort",)

        rig.local.always, rig.local.reported = ScriptStep(), None
        await rig.clock.advance(120)
        assert rig.published(BackendRecovered) == [BackendRecovered(backend="local")]
        assert rig.router.status().ready == ("local", "last_resort")
        assert len(rig.published(LocalLost)) == 1


@pytest.mark.parametrize("asked", ["request", "check"])
@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        (BackendBusyError, False),
        (RateLimitedError, False),
        (TunnelLimitError, False),
        (BackendDrainingError, False),
        (BackendLoadingError, False),
        (TunnelQuotaError, True),
        (AuthenticationError, True),
        (TunnelOfflineError, True),
    ],
)
async def test_the_status_and_the_events_agree_on_what_is_lost(
    kind: type[BackendError], lost: bool, asked: str
) -> None:
    async with RouterRig() as rig:
        error = kind("for a reason", retry_after_s=30)
        rig.remote.always = ScriptStep(error=error)
        if asked == "check":
            rig.remote.reported = error
            with pytest.raises(kind):
                await rig.router.check("remote")
        else:
            assert_heard(await rig.speak())
        status = rig.router.status().backend("remote")
        assert status is not None
        assert not status.state.ready
        assert status.lost is lost
        await settle()
        assert (len(rig.published(RemoteLost)) == 1) is lost


async def test_that_nothing_can_speak_is_stated_until_something_can() -> None:
    async with RouterRig(mode=Mode.REMOTE) as rig:
        assert not rig.router.status().nothing_speaks
        for name in ("local", "last_resort"):
            await rig.router.unload_backend(name)
        rig.remote.always = ScriptStep(error=BackendConnectionError("it is off"))
        rig.remote.reported = BackendConnectionError("it is off")
        with pytest.raises(BackendError):
            await rig.router.check("remote")
        status = rig.router.status()
        assert status.nothing_speaks
        assert status.ready == ()
        assert status.active == "remote", "the choice, though it cannot speak"

        hold = rig.local.load_hold = asyncio.Event()
        loading = asyncio.ensure_future(rig.router.load_backend("local"))
        await settle()
        assert not rig.router.status().nothing_speaks, "it may speak soon"
        hold.set()
        await loading
        assert rig.router.status().ready == ("local",)


async def test_without_the_fallback_only_the_choice_counts_as_ready() -> None:
    async with RouterRig(policy=RouterPolicy(fallback_enabled=False)) as rig:
        assert rig.router.status().ready == ("remote",)
        await rig.router.unload_backend("remote")
        assert rig.router.status().nothing_speaks


async def test_a_backend_that_is_only_too_slow_still_speaks() -> None:
    async with RouterRig(policy=RouterPolicy(fallback_enabled=False)) as rig:
        rig.remote.always = ScriptStep(error=TooSlowError("too slow"))
        with pytest.raises(BackendError):
            await rig.router.probe("remote")
        for _ in range(2):
            with pytest.raises(BackendError):
                await rig.router.probe("remote")
        assert rig.router.status().backend("remote").state is BackendState.SLOW  # type: ignore[union-attr]  # it is there
        assert rig.router.status().ready == ("remote",)


async def test_an_older_server_is_named_once_and_used_all_the_same() -> None:
    rig = RouterRig()
    rig.remote.reported = Health(state=BackendState.READY, version="0.0.9")
    async with rig:
        chunks = await rig.speak()
        await rig.clock.advance(120)

        (event,) = rig.published(ServerOutdated)
        assert isinstance(event, ServerOutdated)
        assert (event.version, event.own) == ("0.0.9", __version__)
        assert set(speakers(chunks)) == {"remote"}

        rig.remote.reported = Health(state=BackendState.READY, version=__version__)
        await rig.clock.advance(120)
        assert len(rig.published(ServerOutdated)) == 1


async def test_a_missing_default_voice_is_published_once_and_anew_after_it_was_there() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.local.reported = Health(state=BackendState.READY, missing_voice="ba-ngoai")
    async with rig:
        await rig.speak()
        await rig.clock.advance(120)
        missing = DefaultVoiceMissing(backend="local", voice="ba-ngoai")
        assert rig.published(DefaultVoiceMissing) == [missing]

        rig.local.reported = Health(state=BackendState.READY)
        await rig.clock.advance(120)
        rig.local.reported = Health(state=BackendState.READY, missing_voice="ba-ngoai")
        await rig.clock.advance(120)
        assert rig.published(DefaultVoiceMissing) == [missing, missing]


async def test_a_worker_that_was_started_again_is_published_once_for_each_new_count() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.local.reported = Health(state=BackendState.READY, worker_restarts=0)
    async with rig:
        await rig.clock.advance(120)
        assert rig.published(WorkerRestarted) == []

        rig.local.reported = Health(state=BackendState.READY, worker_restarts=2)
        await rig.clock.advance(120)
        rig.local.reported = Health(state=BackendState.READY, worker_restarts=3)
        await rig.clock.advance(120)
        assert rig.published(WorkerRestarted) == [
            WorkerRestarted(backend="local", restarts=2),
            WorkerRestarted(backend="local", restarts=3),
        ]


@pytest.mark.parametrize(
    ("theirs", "own", "older"),
    [
        ("0.1.0", "0.1.0", False),
        ("0.1.0", "0.1.1", True),
        ("0.9.9", "0.10.0", True),
        ("1.0.0.dev3", "0.10.0", False),
        ("0.1", "0.1.0", True),
        ("unknown", "0.1.0", False),
        (None, "0.1.0", False),
    ],
)
def test_releases_are_compared_by_number(theirs: str | None, own: str, older: bool) -> None:
    assert is_older(theirs, own=own) is older


async def test_a_busy_backend_is_spared_for_a_moment_but_not_given_up() -> None:
    async with RouterRig() as rig:
        rig.remote.script = [ScriptStep(error=BackendBusyError("queue full", retry_after_s=1))]
        assert set(speakers(await rig.speak())) == {"local"}
        assert rig.router.active == "remote"
        assert rig.published(FailedOver) == []
        await rig.clock.advance(1.1)
        assert set(speakers(await rig.speak())) == {"remote"}


async def test_every_change_of_a_state_is_published_at_once_and_once() -> None:
    rig = RouterRig(Mode.REMOTE)
    rig.local.load_hold = asyncio.Event()

    def states(name: str) -> list[BackendState]:
        changes = [e for e in rig.events if isinstance(e, BackendStateChanged)]
        return [change.state for change in changes if change.backend == name]

    async with rig:
        assert states("remote") == [BackendState.READY]
        assert rig.router.status().backend("local").state is BackendState.LOADING  # type: ignore[union-attr]
        rig.local.load_hold.set()
        await settle()
        assert states("local")[-1] is BackendState.READY
        rig.events.clear()
        await rig.clock.advance(600)
        await rig.router.unload_backend("local")
        await settle()
        assert states("local") == [BackendState.UNLOADED]
        rig.remote.reported = TunnelOfflineError("the tunnel is gone")
        rig.remote.load_error = rig.remote.reported
        await rig.clock.advance(3600)  # it is checked again and again: no state flaps
        assert states("remote") == [BackendState.UNREACHABLE]


@pytest.mark.parametrize("ask", ["check", "probe"])
async def test_to_ask_a_dead_backend_again_publishes_no_recovery(ask: str) -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=lost("the cable is out"))
        rig.remote.reported = lost("the cable is out")
        for _ in range(3):
            await rig.speak()
        assert rig.router.active == "local"
        await settle()
        rig.events.clear()
        for _ in range(3):
            with pytest.raises(BackendConnectionError, match="the cable is out"):
                await getattr(rig.router, ask)("remote")
            assert rig.router.active == "local"
        await rig.clock.advance(10)
        assert rig.events == []

        rig.remote.always, rig.remote.reported = ScriptStep(), None
        await getattr(rig.router, ask)("remote")
        assert rig.router.active == "remote"
        await settle()
        assert len(rig.published(FailedBack)) == 1
