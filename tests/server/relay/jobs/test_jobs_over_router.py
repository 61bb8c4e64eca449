"""Jobs over the real router, with its failover and its fallbacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from cache_rig import is_away
from job_rig import JobRig, job_rig, tones
from router_rig import SENTENCES, TEXT, RouterRig, lost
from tone_engine import same
from voice_clips import clip
from waiting import until

from vieneu_colab_server.relay.jobs.api import backend_away
from vieneu_colab_server.relay.jobs.job import Fallback, Job, JobState, NoteKind
from vieneu_core.router import Mode
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


@asynccontextmanager
async def without_colab(folder: Path, mode: Mode) -> AsyncIterator[tuple[RouterRig, JobRig]]:
    """Run jobs over a router whose remote, the only one that clones, has not been there yet."""
    routed = RouterRig(mode)
    routed.remote.clones = True
    is_away(routed.remote)
    away = partial(backend_away, routed.router)
    rig = job_rig(routed.router, folder, clock=routed.clock, backend_away=away)
    async with routed, rig as jobs:
        yield routed, jobs


async def colab_is_back(routed: RouterRig) -> None:
    routed.remote.load_error = routed.remote.reported = None
    await routed.router.load_backend("remote")


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_job_with_a_clip_waits_for_colab_and_lets_the_others_go_first(
    tmp_path: Path, mode: Mode
) -> None:
    async with without_colab(tmp_path, mode) as (routed, rig):
        cloning = await rig.submit(TEXT, reference=clip())
        await passing(routed, asyncio.ensure_future(rig.reached(cloning, JobState.PAUSED)))
        problem = rig.queue.get(cloning.id).problem
        assert problem is not None
        assert problem.code == "chosen_voice_away"
        assert "waits for the backend that has this voice" in f"{problem.detail} {problem.remedy}"

        other = await rig.submit(SENTENCES[0], fallback=Fallback.ACCEPT)
        assert (await rig.ended(other)).state is JobState.DONE
        assert rig.queue.get(cloning.id).state is JobState.PAUSED

        await colab_is_back(routed)
        routed.router.set_mode(Mode.REMOTE)
        done = await rig.ended(cloning)
        assert (done.state, done.notes) == (JobState.DONE, ())
        assert same(rig.heard(done), tones(SENTENCES))
    assert [request.reference for request in routed.remote.record.requests] == [clip()] * 6


async def test_a_voice_that_no_backend_has_once_all_are_there_fails_the_job(tmp_path: Path) -> None:
    async with without_colab(tmp_path, Mode.LOCAL) as (routed, rig):
        job = await rig.submit(TEXT, voice="nobody")
        await passing(routed, asyncio.ensure_future(rig.reached(job, JobState.PAUSED)))
        await colab_is_back(routed)
        failed = await rig.ended(job)
        assert failed.state is JobState.FAILED
        assert failed.problem is not None
        assert failed.problem.code == "voice_not_found"


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
