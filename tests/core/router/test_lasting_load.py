"""A load that needs longer than a health check waits, and one after another that failed."""

from __future__ import annotations

import asyncio

import pytest
from fake_clock import settle
from router_rig import RouterRig, speakers

from vieneu_core.errors import AllBackendsFailedError, BackendError, ModelLoadError
from vieneu_core.router import Mode, Router, RouterPolicy
from vieneu_core.testing.scripted import ScriptedBackend


async def test_a_router_as_the_last_resort_may_load_for_longer_than_a_check_waits() -> None:
    """Its voice may have to be downloaded first; a check that gives up must not undo that."""
    held = asyncio.Event()
    inner = RouterRig(Mode.LOCAL)
    outer = Router(
        local=ScriptedBackend(name="local", clock=inner.clock),
        last_resort=inner.router,
        policy=RouterPolicy(health_check_timeout_s=0.0),
        clock=inner.clock,
    )
    voices = (inner.local, inner.remote, inner.last)
    for voice in voices:
        voice.load_error = ModelLoadError("no network yet")
    await outer.load()
    for voice in voices:
        voice.load_error, voice.load_hold = None, held
    await inner.clock.advance(600)
    late = outer.status().backend("last_resort")
    assert late is not None
    assert late.last_error is not None
    assert late.last_error.detail == "last_resort was not loaded in time; loading goes on."

    held.set()
    outer.set_policy(RouterPolicy())
    await inner.clock.advance(5)
    assert "last_resort" in outer.status().ready, "it is used as soon as it is loaded"

    assert inner.last.record.loads == 1
    assert inner.last.record.unloads == 0
    loaded = outer.status().backend("last_resort")
    assert loaded is not None
    assert loaded.health is not None
    assert loaded.health.ready
    await outer.aclose()


async def test_a_load_that_outlasts_its_check_ends_with_the_router() -> None:
    before = asyncio.all_tasks()
    rig = RouterRig(Mode.LOCAL, RouterPolicy(health_check_timeout_s=0.0))
    rig.last.load_error = ModelLoadError("no network yet")
    async with rig:
        rig.last.load_error, rig.last.load_hold = None, asyncio.Event()
        await rig.clock.advance(600)
        assert rig.last.record.loads == 0
        assert any(task.get_name() == "vieneu-load" for task in asyncio.all_tasks())
    assert asyncio.all_tasks() == before


async def test_a_check_of_a_router_that_is_not_loaded_leaves_no_load_behind() -> None:
    before = asyncio.all_tasks()
    rig = RouterRig(Mode.LOCAL, RouterPolicy(health_check_timeout_s=0.0))
    rig.local.load_hold = asyncio.Event()
    with pytest.raises(BackendError):
        await rig.router.check("local")
    assert asyncio.all_tasks() == before
    await rig.router.aclose()


async def test_a_check_that_waits_for_a_load_learns_that_the_router_was_unloaded() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.last.load_error = ModelLoadError("no network yet")
    async with rig:
        rig.last.load_error, rig.last.load_hold = None, asyncio.Event()
        check = asyncio.ensure_future(rig.router.check("last_resort"))
        await settle()
        await rig.router.unload()
        with pytest.raises(BackendError, match="unloaded"):
            await check


async def test_a_router_that_could_not_be_loaded_can_be_loaded_once_a_backend_can() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.local.load_error = rig.remote.load_error = rig.last.load_error = ModelLoadError("no model")
    with pytest.raises(AllBackendsFailedError):
        await rig.router.load()
    rig.last.load_error = None
    async with rig:
        assert set(speakers(await rig.speak())) == {"last_resort"}
