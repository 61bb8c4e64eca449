"""Return of a backend after failures, probes, the session's end, and the snapshot."""

from __future__ import annotations

import asyncio

import pytest
from router_rig import (
    SENTENCES,
    RouterRig,
    assert_heard,
    lost,
    speakers,
)
from tone_engine import expected, heard, same

from vieneu_core.backends.base import BackendState, Health, synthesize
from vieneu_core.errors import (
    AuthenticationError,
    BackendConnectionError,
    BackendError,
    TunnelOfflineError,
    VoiceNotFoundError,
    WorkerDiedError,
)
from vieneu_core.router import (
    Mode,
    RouterPolicy,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep


async def test_a_healthy_check_is_not_enough_to_return_it_must_speak() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=TunnelOfflineError("cannot speak"))
        await rig.speak()
        await rig.clock.advance(100)  # /health says ready all the time
        assert rig.router.active == "local"
        rig.remote.always = ScriptStep()
        await rig.clock.advance(100)
        assert rig.router.active == "remote"


async def test_a_rejected_token_is_reported_and_never_tried_again_until_the_admin_acts() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=AuthenticationError("wrong token"))
        rig.remote.reported = AuthenticationError("wrong token")
        await rig.speak()
        asked = len(rig.remote.record.requests), rig.remote.record.health_checks
        await rig.clock.advance(86_400)
        await rig.speak()
        assert (len(rig.remote.record.requests), rig.remote.record.health_checks) == asked
        status = rig.router.status().backend("remote")
        assert status is not None
        assert status.state is BackendState.UNAUTHORIZED
        with pytest.raises(AuthenticationError):
            await rig.router.check("remote")
        rig.remote.always, rig.remote.reported = ScriptStep(), None
        assert (await rig.router.check("remote")).ready
        assert rig.router.active == "remote"


async def test_the_local_model_comes_back_by_a_probe_after_it_crashed_often() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        rig.local.always = ScriptStep(error=WorkerDiedError("crashed"))
        for _ in range(3):
            assert_heard(await rig.speak())
        assert rig.router.active == "last_resort"
        rig.local.always = ScriptStep()
        await rig.clock.advance(60)
        assert rig.router.active == "local"


async def test_near_the_end_of_the_session_only_what_fits_starts_there() -> None:
    async with RouterRig() as rig:
        rig.remote.reported = Health(state=BackendState.READY, remaining_s=20.0)
        await rig.router.check("remote")
        short = await rig.speak("Xin chào.")
        assert speakers(short) == ["remote"]
        long = await rig.speak(" ".join(SENTENCES * 8))
        assert speakers(long)[0] == "remote"
        assert "local" in speakers(long)
        await rig.clock.advance(21)
        assert speakers(await rig.speak("Xin chào.")) == ["local"]
        status = rig.router.status().backend("remote")
        assert status is not None
        assert status.state is BackendState.EXPIRED


async def test_a_probe_speaks_for_real_and_closes_or_opens_the_circuit() -> None:
    async with RouterRig(Mode.LOCAL) as rig:
        speech = await rig.router.probe("remote")
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected("Xin chào.")])
        rig.remote.always = ScriptStep(error=lost("no more"))
        with pytest.raises(BackendConnectionError, match="no more"):
            await rig.router.probe("remote")
        rig.remote.always = ScriptStep(error=VoiceNotFoundError("no voice at all"))
        with pytest.raises(BackendError, match="refused the test sentence"):
            await rig.router.probe("remote")


async def test_a_probe_that_hangs_ends_by_its_name() -> None:
    async with RouterRig(policy=RouterPolicy(stall_s=0.05)) as rig:
        rig.remote.always = ScriptStep(hold=asyncio.Event())
        with pytest.raises(BackendError, match="test sentence in time"):
            await rig.router.probe("remote")


async def test_the_snapshot_is_plain_json_and_complete() -> None:
    async with RouterRig() as rig:
        await rig.speak()
        shot = rig.router.status().to_json()
        assert shot["mode"] == "remote"
        assert shot["active"] == "remote"
        assert [b["name"] for b in shot["backends"]] == ["local", "remote", "last_resort"]
        assert shot["backends"][1]["state"] == "ready"
        assert shot["backends"][1]["health"]["engine"] == "scripted"
        assert rig.router.status().backend("cellar") is None


async def test_synthesize_takes_the_router_like_any_backend() -> None:
    async with RouterRig() as rig:
        speech = await synthesize(rig.router, SynthesisRequest(text=SENTENCES[3]))
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(SENTENCES[3])])
