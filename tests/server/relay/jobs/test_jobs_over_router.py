"""Jobs over the real router, with its failover and its fallbacks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from job_rig import job_rig, tones
from router_rig import SENTENCES, TEXT, RouterRig, lost
from tone_engine import same
from waiting import until

from vieneu_colab_server.relay.jobs.job import Fallback, Job, JobState, NoteKind
from vieneu_core.testing.scripted import ScriptStep

CUT_OFF = ScriptStep(after_chunks=1, error=lost())
pytestmark = pytest.mark.usefixtures("no_leaks")


async def passing(routed: RouterRig, job_is: asyncio.Future[Job]) -> None:
    while not job_is.done():
        await routed.clock.advance(0.5)
        await asyncio.sleep(0.001)  # threads


async def test_a_remote_lost_midway_is_waited_for_and_speaks_all_of_it(tmp_path: Path) -> None:
    async with RouterRig() as routed, job_rig(routed.router, tmp_path, clock=routed.clock) as rig:
        routed.remote.script = [
            ScriptStep(),
            ScriptStep(),
            ScriptStep(after_chunks=1, error=lost()),
        ]
        routed.remote.always = ScriptStep(error=lost())
        job = await rig.submit(TEXT)
        paused = asyncio.ensure_future(rig.reached(job, JobState.PAUSED))
        await passing(routed, paused)
        problem = paused.result().problem
        assert problem is not None
        assert problem.code == "chosen_voice_away"
        assert paused.result().n_done == 2

        routed.remote.always = ScriptStep()
        done = await rig.ended(job)
        assert done.state is JobState.DONE
        assert done.notes == ()
        assert same(rig.heard(done), tones(SENTENCES))
    assert set(routed.local.record.finished) <= {SENTENCES[2]}, "it was not to go on"


async def test_a_fallback_of_another_rate_is_joined_where_it_is_accepted(tmp_path: Path) -> None:
    async with RouterRig() as routed, job_rig(routed.router, tmp_path, clock=routed.clock) as rig:
        await routed.local.unload()
        routed.local.always = ScriptStep(error=lost())
        routed.remote.script = [
            ScriptStep(),
            ScriptStep(),
            ScriptStep(after_chunks=1, error=lost()),
        ]
        routed.remote.always = ScriptStep(error=lost())
        job: Job = await rig.submit(TEXT, fallback=Fallback.ACCEPT)
        done = await rig.ended(job)
        assert done.state is JobState.DONE
        assert [note.kind for note in done.notes] == [NoteKind.FALLBACK] * 4
        assert same(rig.heard(done), tones(SENTENCES))
    assert len(routed.last.record.finished) == 4


async def test_where_nothing_can_speak_a_job_waits(tmp_path: Path) -> None:
    async with RouterRig() as routed, job_rig(routed.router, tmp_path, clock=routed.clock) as rig:
        backends = (routed.local, routed.remote, routed.last)
        for backend in backends:
            backend.always = ScriptStep(error=lost())
        job = await rig.submit(TEXT)
        paused = asyncio.ensure_future(rig.reached(job, JobState.PAUSED))
        await passing(routed, paused)
        for backend in backends:
            backend.always = ScriptStep()
        await until(lambda: rig.queue.get(job.id).n_done == 0)
        done = await rig.ended(job)
        assert done.notes == ()
        assert same(rig.heard(done), tones(SENTENCES))
