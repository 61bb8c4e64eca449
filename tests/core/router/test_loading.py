"""Loading and unloading: the router, and one backend by the admin."""

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

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.engines.base import LoadProgress
from vieneu_core.errors import (
    AllBackendsFailedError,
    AuthenticationError,
    BackendConnectionError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotConfiguredError,
    BackendNotLoadedError,
    ModelLoadError,
    RateLimitedError,
    TunnelQuotaError,
    WorkerDiedError,
)
from vieneu_core.router import (
    BackendLoading,
    Mode,
    RemoteLost,
    RouterPolicy,
)


async def test_loading_fails_only_where_no_backend_can_speak() -> None:
    rig = RouterRig()
    rig.remote.load_error = lost("no remote")
    rig.local.load_error = ModelLoadError("no model")
    async with rig:
        assert set(speakers(await rig.speak())) == {"last_resort"}
    rig = RouterRig()
    rig.remote.load_error = lost("no remote")
    rig.local.load_error = ModelLoadError("no model")
    rig.last.load_error = ModelLoadError("no voice")
    with pytest.raises(AllBackendsFailedError) as caught:
        await rig.router.load()
    assert len(caught.value.causes) == 3
    with pytest.raises(BackendNotLoadedError):
        await rig.speak()


async def test_loading_does_not_wait_for_ever_for_a_slow_remote() -> None:
    rig = RouterRig(policy=RouterPolicy(load_wait_s=0.05))
    rig.remote.load_hold = asyncio.Event()
    async with rig:
        assert rig.router.active == "local"
        assert rig.router.status().backend("remote").state is BackendState.LOADING  # type: ignore[union-attr]
        rig.remote.load_hold.set()
        await settle()
        assert rig.router.active == "remote"


async def test_a_server_that_loads_its_model_is_waited_for_and_then_used() -> None:
    rig = RouterRig()
    rig.remote.load_error = BackendLoadingError("loading", retry_after_s=5)
    async with rig:
        assert rig.router.active == "local"
        assert rig.router.status().backend("remote").state is BackendState.LOADING  # type: ignore[union-attr]
        assert rig.published(RemoteLost) == []
        rig.remote.load_error = None
        await rig.speak()
        await rig.clock.advance(60)
        assert rig.router.active == "remote"


async def test_the_local_model_can_be_unloaded_and_loaded_by_the_admin() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        await rig.router.unload_backend("local")
        assert rig.router.active == "last_resort"
        assert rig.router.status().backend("local").state is BackendState.UNLOADED  # type: ignore[union-attr]
        await rig.clock.advance(3600)
        assert rig.local.record.loads == 1  # only the admin loads it again
        assert set(speakers(await rig.speak())) == {"last_resort"}
        assert (await rig.router.load_backend("local")).ready
        assert rig.router.active == "local"
        assert set(speakers(await rig.speak())) == {"local"}
        rig.local.load_error = ModelLoadError("the file is gone")
        await rig.router.unload_backend("local")
        with pytest.raises(ModelLoadError, match="the file is gone"):
            await rig.router.load_backend("local")
        with pytest.raises(BackendNotConfiguredError):
            await rig.router.load_backend("cellar")


async def test_a_server_at_home_that_was_off_at_the_start_is_used_once_it_is_on() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.local.load_error = rig.local.reported = lost("it is off")
    async with rig:
        assert rig.router.active == "last_resort"
        rig.local.load_error = None
        rig.local.reported = None
        await rig.clock.advance(120)
        assert rig.router.active == "local"
        assert set(speakers(await rig.speak())) == {"local"}


async def test_a_test_of_what_could_not_be_loaded_tells_why_and_keeps_the_state() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.remote.load_error = rig.remote.reported = lost("the session is over")
    async with rig:
        for _ in range(2):
            with pytest.raises(BackendConnectionError, match="the session is over"):
                await rig.router.probe("remote")
            status = rig.router.status().backend("remote")
            assert status is not None
            assert status.state is BackendState.UNREACHABLE
            assert status.last_error is not None
            assert status.last_error.detail == "the session is over"

        rig.remote.load_error = rig.remote.reported = None
        assert (await rig.router.probe("remote")).seconds > 0
        status = rig.router.status().backend("remote")
        assert status is not None
        assert status.state is BackendState.READY


@pytest.mark.parametrize("name", ["local", "remote"])
@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (AuthenticationError, BackendState.UNAUTHORIZED),
        (BackendDrainingError, BackendState.DRAINING),
        (BackendLoadingError, BackendState.LOADING),
        (RateLimitedError, BackendState.PAUSED),
        (TunnelQuotaError, BackendState.UNREACHABLE),
    ],
)
async def test_a_test_connects_first_whatever_kept_the_server_from_being_loaded(
    name: str, kind: type[BackendError], state: BackendState
) -> None:
    rig = RouterRig(Mode.LOCAL if name == "local" else Mode.REMOTE)
    backend = {"local": rig.local, "remote": rig.remote}[name]
    backend.load_error = kind("the reason", retry_after_s=30)
    backend.reported = Health(state=BackendState.UNLOADED)  # it answers, and is not connected
    async with rig:
        for _ in range(2):
            with pytest.raises(kind, match="the reason"):
                await rig.router.probe(name)
            status = rig.router.status().backend(name)
            assert status is not None
            assert status.state is state
        backend.load_error = backend.reported = None
        assert (await rig.router.probe(name)).seconds > 0, "the first test already"
        status = rig.router.status().backend(name)
        assert status is not None
        assert status.state is BackendState.READY


@pytest.mark.parametrize("name", ["local", "remote"])
async def test_a_check_of_what_was_refused_at_the_start_uses_it_at_once(name: str) -> None:
    rig = RouterRig(Mode.LOCAL if name == "local" else Mode.REMOTE)
    backend = {"local": rig.local, "remote": rig.remote}[name]
    backend.load_error = AuthenticationError("an old token")
    async with rig:
        with pytest.raises(AuthenticationError):
            await rig.router.check(name)
        backend.load_error = None
        assert (await rig.router.check(name)).ready
        assert rig.router.active == name


async def test_a_test_of_what_an_admin_unloaded_loads_nothing() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.remote.load_error = AuthenticationError("an old token")
    async with rig:
        await rig.router.unload_backend("remote")
        rig.remote.load_error = None
        with pytest.raises(BackendNotLoadedError):
            await rig.router.probe("remote")


async def test_what_could_not_be_loaded_is_loaded_again_by_and_by() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.local.load_error = rig.last.load_error = WorkerDiedError("killed while it loaded")
    async with rig:
        assert rig.router.active == "local"  # nothing else is left
        rig.local.load_error = rig.last.load_error = None
        await rig.clock.advance(120)
        assert rig.last.record.loads == rig.local.record.loads == 1
        assert rig.router.active == "local"
        assert_heard(await rig.speak())


async def test_unload_and_load_again_leave_no_task_behind() -> None:
    before = asyncio.all_tasks()
    rig = RouterRig()
    for _ in range(3):
        await rig.router.load()
        await rig.router.load()
        assert_heard(await rig.speak())
        assert (await rig.router.health()).ready
        assert (await rig.router.voices())[0].id == "vi-tone"
        await rig.router.unload()
        assert not (await rig.router.health()).ready
        with pytest.raises(BackendNotLoadedError):
            await rig.router.voices()
    await rig.router.aclose()
    await settle()
    assert asyncio.all_tasks() == before


async def test_unloading_a_router_that_still_loads_is_an_error_of_that_load() -> None:
    rig = RouterRig()
    for backend in (rig.local, rig.remote, rig.last):
        backend.load_hold = asyncio.Event()
    loading = asyncio.ensure_future(rig.router.load())
    await settle()
    await rig.router.unload()
    with pytest.raises(BackendNotLoadedError):
        await loading
    with pytest.raises(BackendNotLoadedError):
        await rig.speak()
    for backend in (rig.local, rig.remote, rig.last):
        backend.load_hold = None
    async with rig:
        assert_heard(await rig.speak())


async def test_a_load_that_is_cancelled_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    rig = RouterRig()
    rig.remote.load_hold = rig.last.load_hold = asyncio.Event()
    loading = asyncio.ensure_future(rig.router.load())
    await settle()
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert asyncio.all_tasks() == before
    rig.remote.load_hold = rig.last.load_hold = None
    async with rig:
        assert_heard(await rig.speak())


async def test_a_remote_that_the_admin_unloaded_stays_so_too() -> None:
    async with RouterRig() as rig:
        await rig.router.unload_backend("remote")
        assert rig.router.active == "local"
        await rig.clock.advance(3600)
        assert rig.remote.record.loads == 1
        assert (await rig.router.load_backend("remote")).ready
        assert rig.router.active == "remote"
        await rig.router.unload_backend("remote")
        await rig.router.unload()
        await rig.router.load()
        assert rig.router.active == "remote"


async def test_download_progress_is_published_once_for_each_step() -> None:
    rig = RouterRig(mode=Mode.LOCAL)
    for backend in (rig.local, rig.remote):
        backend.load_hold = asyncio.Event()
        backend.reported = Health(
            state=BackendState.LOADING, loading=LoadProgress("Downloading", 1, 10)
        )
    loading = asyncio.create_task(rig.router.load())
    await rig.clock.advance(1.2)
    half = Health(state=BackendState.LOADING, loading=LoadProgress("Downloading", 5, 10))
    rig.local.reported = half
    await rig.clock.advance(1.2)

    status = rig.router.status().backend("local")
    assert status is not None
    assert (status.state, status.health) == (BackendState.LOADING, half)
    events = [e for e in rig.published(BackendLoading) if isinstance(e, BackendLoading)]
    assert [(e.backend, e.progress.done_bytes) for e in events] == [("local", 1), ("local", 5)]
    assert rig.remote.record.health_checks == 0, "a health check of the remote costs a request"

    for backend in (rig.local, rig.remote):
        backend.reported = None
        assert backend.load_hold is not None
        backend.load_hold.set()
    await loading
    await rig.clock.advance(5)
    assert rig.router.status().active == "local"
    assert len(rig.published(BackendLoading)) == 2
    await rig.router.aclose()
