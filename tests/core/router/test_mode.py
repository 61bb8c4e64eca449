"""Changes of the mode and of the remote backend while requests run."""

from __future__ import annotations

import asyncio

import pytest
from fake_clock import settle
from guard import GUARD_S
from router_rig import (
    SENTENCES,
    TEXT,
    RouterRig,
    assert_heard,
    gather,
    speakers,
)

from vieneu_core.backends.base import Health
from vieneu_core.errors import (
    BackendNotConfiguredError,
    TunnelOfflineError,
)
from vieneu_core.router import (
    BackendSwitched,
    FailedBack,
    Mode,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


async def test_a_switch_moves_new_requests_and_leaves_running_ones_where_they_are() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        held = asyncio.Event()
        rig.local.script = [ScriptStep(), ScriptStep(at_sentence=1, hold=held)]
        running = asyncio.ensure_future(gather(rig.router, SynthesisRequest(text=TEXT)))
        await settle(100)
        rig.router.set_mode(Mode.REMOTE)
        assert rig.router.active == "remote"
        after = await rig.speak()
        assert set(speakers(after)) == {"remote"}
        held.set()
        before = await running
        assert_heard(before)
        assert set(speakers(before)) == {"local"}
        assert not any(chunk.speaker.fallback for chunk in before)
        assert rig.published(BackendSwitched) == [BackendSwitched(mode=Mode.REMOTE)]


async def test_a_switch_to_what_is_not_ready_is_refused_and_changes_nothing() -> None:
    rig = RouterRig(Mode.LOCAL)
    rig.remote.load_error = TunnelOfflineError("the tunnel is gone")
    async with rig:
        with pytest.raises(TunnelOfflineError, match="the tunnel is gone"):
            rig.router.set_mode(Mode.REMOTE)
        assert rig.router.mode is Mode.LOCAL
        assert rig.router.active == "local"
        await rig.router.set_remote(None)
        with pytest.raises(BackendNotConfiguredError):
            rig.router.set_mode(Mode.REMOTE)
        rig.router.set_mode(Mode.LOCAL)
        assert rig.published(BackendSwitched) == []


async def test_fifty_streams_and_a_thousand_switches_lose_nothing() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.local.always = rig.remote.always = ScriptStep(chunk_delay_s=0.01)
        requests = [SynthesisRequest(text=" ".join(SENTENCES[n % 3 :])) for n in range(50)]
        streams = [asyncio.ensure_future(gather(rig.router, request)) for request in requests]
        for n in range(1000):
            rig.router.set_mode(Mode.REMOTE if n % 2 == 0 else Mode.LOCAL)
            await rig.clock.advance(0.005)
        while not all(stream.done() for stream in streams):
            await rig.clock.advance(0.1)
        for n, stream in enumerate(streams):
            assert_heard(stream.result(), SENTENCES[n % 3 :])
            assert len(set(speakers(stream.result()))) == 1


async def test_a_new_remote_takes_over_and_the_old_one_ends_its_requests_first() -> None:
    async with RouterRig() as rig:
        held = asyncio.Event()
        rig.remote.script = [ScriptStep(), ScriptStep(at_sentence=1, hold=held)]
        running = asyncio.ensure_future(gather(rig.router, SynthesisRequest(text=TEXT)))
        await settle(100)
        fresh = ScriptedBackend(name="remote", clock=rig.clock)
        await rig.router.set_remote(fresh)
        assert len(await rig.speak("Xin chào.")) > 0
        assert len(fresh.record.requests) == 1
        assert rig.remote.record.unloads == 0
        held.set()
        assert_heard(await running)
        await settle(50)
        assert rig.remote.record.unloads == 1


async def test_two_new_remotes_at_once_leave_one_in_use_and_close_the_others() -> None:
    async with RouterRig() as rig:
        first = ScriptedBackend(name="remote", clock=rig.clock)
        second = ScriptedBackend(name="remote", clock=rig.clock)
        await asyncio.gather(rig.router.set_remote(first), rig.router.set_remote(second))
        await settle()
        assert rig.remote.record.unloads == 1
        assert set(speakers(await rig.speak())) == {"remote"}
        assert (len(first.record.requests) > 0) != (len(second.record.requests) > 0)
        unused = second if first.record.requests else first
        assert unused.record.loads == unused.record.unloads


async def test_a_remote_that_comes_while_the_router_loads_is_loaded_too() -> None:
    rig = RouterRig()
    rig.remote.load_hold = rig.last.load_hold = asyncio.Event()
    loading = asyncio.ensure_future(rig.router.load())
    await settle()
    fresh = ScriptedBackend(name="remote", clock=rig.clock)
    await rig.router.set_remote(fresh)
    rig.last.load_hold.set()
    await loading
    async with rig:
        assert rig.router.active == "remote"
        assert set(speakers(await rig.speak())) == {"remote"}
        assert len(fresh.record.requests) > 0


async def test_closing_while_the_remote_is_replaced_leaves_no_task_behind() -> None:
    class SlowHealthCheck(ScriptedBackend):
        """Its health check takes some steps to end."""

        async def health(self) -> Health:
            if self.record.requests:
                try:
                    await asyncio.Event().wait()
                finally:
                    for _ in range(20):
                        await asyncio.sleep(0)
            return await super().health()

    before = asyncio.all_tasks()
    rig = RouterRig()
    rig.remote = SlowHealthCheck(name="remote", clock=rig.clock)
    await rig.router.set_remote(rig.remote)
    await rig.router.load()
    rig.remote.script = [ScriptStep(hold=asyncio.Event())]
    listening = asyncio.ensure_future(gather(rig.router, SynthesisRequest(text=TEXT)))
    await rig.clock.advance(60)  # a health check has begun
    other = ScriptedBackend(name="remote", clock=rig.clock)
    changing = asyncio.ensure_future(rig.router.set_remote(other))
    await asyncio.sleep(0)
    await rig.router.aclose()
    await changing
    retiring = {task for task in asyncio.all_tasks() if task.get_name() == "vieneu-retire"}
    assert retiring == set()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await settle()
    assert asyncio.all_tasks() == before


async def test_unloading_ends_a_wait_for_a_new_remote() -> None:
    async with RouterRig() as rig:
        slow = ScriptedBackend(name="remote", clock=rig.clock)
        slow.load_hold = asyncio.Event()
        changing = asyncio.ensure_future(rig.router.set_remote(slow))
        await settle()
        await rig.router.unload()
        await changing
        slow.load_hold.set()
        await rig.router.load()
        assert rig.router.active == "remote"


async def test_closing_does_not_wait_for_a_request_on_a_former_remote() -> None:
    async with RouterRig() as rig:
        stream = rig.router.stream(SynthesisRequest(text=TEXT))
        await anext(stream)
        former = rig.remote
        await rig.router.set_remote(None)
        async with asyncio.timeout(GUARD_S):
            await rig.router.aclose()
        assert former.record.unloads == 1
        await stream.aclose()


async def test_choosing_the_fallback_is_a_switch_not_a_return() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=TunnelOfflineError("gone"))
        rig.remote.reported = TunnelOfflineError("gone")
        await rig.speak()
        await settle()
        assert rig.router.active == "local"
        rig.router.set_mode(Mode.LOCAL)
        await settle()
        assert rig.published(BackendSwitched) == [BackendSwitched(mode=Mode.LOCAL)]
        assert rig.published(FailedBack) == []
