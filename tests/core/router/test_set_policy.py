"""Another policy, and another embedded voice, of a router that runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_clock import FakeClock
from router_rig import TEXT, RouterRig, assert_heard, lost, speakers

from vieneu_core.errors import BackendError, ConfigurationError
from vieneu_core.router import Mode, QuotaWarning, Router, RouterPolicy, SlowEngine, TunnelQuota
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SLOW = ScriptStep(chunk_delay_s=0.15)
"""Slower than playback, and yet in time for each sentence that is made whole first."""
TO_FALLBACK = RouterPolicy(slow_engine=SlowEngine.FALLBACK)


async def test_checks_come_as_often_as_the_new_policy_says() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        before = rig.local.record.health_checks
        await rig.clock.advance(7)
        assert rig.local.record.health_checks == before
        rig.router.set_policy(RouterPolicy(health_check_interval_s=7))
        await rig.clock.advance(21)
        assert rig.local.record.health_checks == before + 4, "the first at once: it was due"


async def test_a_fallback_speaks_with_the_voice_of_the_new_policy() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.local.always = ScriptStep(error=lost())
        rig.router.set_policy(RouterPolicy(fallback_voice="vi-north"))
        assert set(speakers(await rig.speak())) == {"last_resort"}
        assert rig.last.record.requests[-1].voice == "vi-north"


async def test_a_running_request_goes_on_by_the_policy_that_it_began_with() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.last.sample_rate_hz = 24_000
        rig.local.script.append(ScriptStep(at_sentence=3, error=lost()))
        rig.local.always = ScriptStep(error=lost())
        chunks = rig.router.stream(SynthesisRequest(text=TEXT))
        heard = [await anext(chunks)]
        rig.router.set_policy(RouterPolicy(fallback_enabled=False))
        heard += [chunk async for chunk in chunks]
        assert_heard(heard)
        assert speakers(heard)[3] == "last_resort"
        with pytest.raises(BackendError):
            await rig.speak()


async def test_a_slow_engine_is_left_to_a_fallback_from_now_on() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.last.sample_rate_hz = 24_000
        rig.local.always = SLOW
        assert "local" in speakers(await rig.speak())
        rig.router.set_policy(TO_FALLBACK)
        await rig.speak()
        assert set(speakers(await rig.speak())) == {"last_resort"}


async def test_a_slow_engine_that_was_left_is_asked_at_once_where_it_may_be_slow() -> None:
    async with RouterRig(Mode.LOCAL, policy=TO_FALLBACK) as rig:
        rig.last.sample_rate_hz = 24_000
        rig.local.always = SLOW
        await rig.speak()
        assert rig.router.active == "last_resort"
        rig.router.set_policy(replace(TO_FALLBACK, slow_engine=SlowEngine.BUFFER))
        assert rig.router.active == "local"
        assert "local" in speakers(await rig.speak())


async def test_what_is_no_policy_changes_nothing() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        with pytest.raises(ConfigurationError):
            rig.router.set_policy({"fallback_enabled": False})  # type: ignore[arg-type]
        assert set(speakers(await rig.speak())) == {"local"}


async def test_an_embedded_voice_that_is_set_later_is_loaded_and_speaks() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        await rig.router.set_last_resort(None)
        assert [each.name for each in rig.router.status().backends] == ["local", "remote"]
        rig.local.always = ScriptStep(error=lost())
        new = ScriptedBackend(name="last_resort", clock=rig.clock)
        await rig.router.set_last_resort(new)
        assert set(speakers(await rig.speak())) == {"last_resort"}
        assert new.record.requests


async def test_an_embedded_voice_that_is_removed_ends_its_request_first() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.local.always = ScriptStep(error=lost())
        rig.last.sample_rate_hz = 24_000
        chunks = rig.router.stream(SynthesisRequest(text=TEXT))
        heard = [await anext(chunks)]
        await rig.router.set_last_resort(None)
        heard += [chunk async for chunk in chunks]
        assert_heard(heard)
        assert set(speakers(heard)) == {"last_resort"}


async def test_a_smaller_quota_warns_and_a_larger_one_can_warn_again() -> None:
    clock = FakeClock()
    quota = TunnelQuota(None, clock=clock)
    router = Router(
        local=ScriptedBackend(clock=clock),
        remote=ScriptedBackend(name="remote", clock=clock),
        clock=clock,
        quota=quota,
    )
    warned: list[float] = []
    router.subscribe(lambda e: warned.append(e.used) if isinstance(e, QuotaWarning) else None)
    async with router:
        quota.record(80, 0)
        quota.set_limits(monthly_requests=100, monthly_bytes=1_000_000)
        await clock.advance(3_600)
        assert warned == [0.8]
        quota.set_limits(monthly_requests=1_000, monthly_bytes=1_000_000)
        quota.record(640, 0)
        await clock.advance(3_600)
        assert warned == [0.8, 0.72]
