"""Jobs that are cancelled, removed, expired or refused."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from job_rig import SENTENCES, TEXT, heard_in, job_rig, names_in, tones
from tone_engine import same
from waiting import until

from vieneu_colab_server.relay.jobs.errors import (
    JobNotFoundError,
    JobQuotaError,
    JobStorageError,
)
from vieneu_colab_server.relay.jobs.job import JobState
from vieneu_core.errors import (
    BackendBusyError,
    InvalidRequestError,
)
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_a_cancelled_job_stops_in_its_sentence_and_the_next_one_runs(tmp_path: Path) -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(), ScriptStep(after_chunks=1, hold=hold)])
    async with job_rig(backend, tmp_path) as rig:
        job, other = await rig.submit(TEXT), await rig.submit("Đây là câu 20.")
        waiting = await rig.submit(TEXT)
        await until(lambda: len(backend.record.begun) == 2)
        states = rig.queue.watch(job.id, every_s=60)
        await anext(states)

        cancelled = await rig.queue.cancel(job.id)
        assert cancelled.state is JobState.CANCELLED
        assert (await anext(states)).state is JobState.CANCELLED
        await states.aclose()
        assert backend.record.closed_early == 1
        assert names_in(tmp_path / job.id) == ["job.json"]
        await rig.queue.cancel(waiting.id)
        assert (await rig.ended(other)).state is JobState.DONE

        await rig.queue.remove(job.id)
        assert not (tmp_path / job.id).exists()
        with pytest.raises(JobNotFoundError):
            rig.queue.get(job.id)
    assert SENTENCES[2] not in backend.record.begun


async def test_removing_a_running_job_twice_at_once_is_no_error(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(hold=asyncio.Event())
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(TEXT)
        await until(lambda: backend.record.begun)
        results = await asyncio.gather(
            rig.queue.remove(job.id), rig.queue.remove(job.id), return_exceptions=True
        )
        assert [type(result) for result in results] == [type(None), JobNotFoundError]
        assert rig.queue.jobs == ()
        assert names_in(tmp_path) == [".lock"]


async def test_ended_jobs_expire(tmp_path: Path) -> None:
    async with job_rig(ScriptedBackend(), tmp_path, keep_days=2) as rig:
        job = await rig.done(TEXT)
        await rig.clock.advance(47 * 3600)
        assert rig.queue.jobs == (job,)
        await rig.clock.advance(3 * 3600)
        await until(lambda: not (tmp_path / job.id).exists() and rig.queue.jobs == ())


async def test_only_so_many_jobs_wait_and_are_kept(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(hold=asyncio.Event())
    async with job_rig(backend, tmp_path, max_waiting=2, max_jobs=3) as rig:
        jobs = [await rig.submit(TEXT) for _ in range(2)]
        with pytest.raises(BackendBusyError, match="2 jobs are waiting"):
            await rig.submit(TEXT)
        await rig.queue.cancel(jobs[0].id)
        await rig.submit(TEXT)
        await rig.queue.cancel(jobs[1].id)
        with pytest.raises(JobStorageError, match="3 jobs are kept"):
            await rig.submit(TEXT)


async def test_one_token_leaves_room_for_the_jobs_of_the_others(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(hold=asyncio.Event())
    bounds: dict[str, Any] = {"max_waiting_per_token": 2, "max_jobs_per_token": 3}
    async with job_rig(backend, tmp_path, **bounds) as rig:
        jobs = [await rig.submit(TEXT, owner="a") for _ in range(2)]
        with pytest.raises(JobQuotaError, match="2 jobs of this token are waiting") as refused:
            await rig.submit(TEXT, owner="a")
        assert refused.value.retry_after_s
        await rig.submit(TEXT, owner="b")
        await rig.queue.cancel(jobs[0].id)
        await rig.submit(TEXT, owner="a")
        await rig.queue.cancel(jobs[1].id)
        with pytest.raises(JobQuotaError, match="3 jobs of this token are kept"):
            await rig.submit(TEXT, owner="a")
        await rig.queue.remove(jobs[0].id)
        await rig.submit(TEXT, owner="a")
    async with job_rig(backend, tmp_path, **bounds) as rig:
        with pytest.raises(JobQuotaError):
            await rig.submit(TEXT, owner="a")
        await rig.submit(TEXT, owner="b")


async def test_a_failed_job_is_not_tried_again_beyond_the_bound(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    async with job_rig(backend, tmp_path, max_waiting_per_token=1) as rig:
        failed = await rig.ended(await rig.submit(TEXT, voice="nobody"))
        assert failed.state is JobState.FAILED
        backend.always = ScriptStep(hold=asyncio.Event())
        waiting = await rig.submit(TEXT)
        with pytest.raises(JobQuotaError):
            await rig.queue.retry(failed.id)
        await rig.queue.cancel(waiting.id)
        assert (await rig.queue.retry(failed.id)).state is JobState.QUEUED


async def test_a_job_for_which_its_token_has_no_room_waits_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    async with job_rig(ScriptedBackend(), tmp_path, max_owner_bytes=250_000) as rig:
        done = await rig.ended(await rig.submit(SENTENCES[0], owner="a"))
        full = await rig.submit(TEXT, owner="a")
        paused = await rig.reached(full, JobState.PAUSED)
        assert paused.problem is not None
        assert paused.problem.code == JobQuotaError.code
        other = await rig.submit(SENTENCES[0], owner="b")
        await until(lambda: rig.queue.get(other.id).state is JobState.DONE)
        assert rig.queue.get(full.id).state is JobState.PAUSED

        with pytest.raises(JobQuotaError, match="The jobs of this token take"):
            await rig.submit(TEXT * 1500, owner="a")
        await rig.queue.remove(done.id)
        await rig.queue.cancel(full.id)
        again = await rig.submit(SENTENCES[1], owner="a")
        assert (await rig.ended(again)).state is JobState.DONE


async def test_the_only_job_of_a_token_may_take_all_the_room(tmp_path: Path) -> None:
    async with job_rig(ScriptedBackend(), tmp_path, max_owner_bytes=1) as rig:
        alone = await rig.ended(await rig.submit(TEXT, owner="a"))
        assert alone.state is JobState.DONE


async def test_only_so_many_clients_follow_jobs(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(hold=asyncio.Event())
    async with job_rig(backend, tmp_path, max_watchers=2) as rig:
        job = await rig.submit(TEXT)
        watching = [rig.queue.watch(job.id, every_s=60) for _ in range(3)]
        for follower in watching[:2]:
            await anext(follower)
        with pytest.raises(BackendBusyError):
            await anext(watching[2])
        for follower in watching:
            await follower.aclose()
        assert rig.queue._board.n_watchers == 0


async def test_wrong_fields_are_refused_before_anything_is_kept(tmp_path: Path) -> None:
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        for wrong in ({"speed": 9.0}, {"language": "xx"}, {"voice": ""}):
            with pytest.raises(InvalidRequestError):
                await rig.submit(TEXT, **wrong)
        assert rig.queue.jobs == ()
        assert names_in(tmp_path) == [".lock"]


async def test_ids_cannot_be_guessed_and_name_no_path(tmp_path: Path) -> None:
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.submit(TEXT)
        assert re.fullmatch(r"[0-9a-f]{32}", job.id)
        for wrong in ("..", "../jobs", job.id + "/..", "", "\0", job.id.upper()):
            with pytest.raises(JobNotFoundError):
                rig.queue.get(wrong)
            with pytest.raises(JobNotFoundError):
                rig.queue._store.plan(wrong)
        await rig.ended(job)


async def test_jobs_of_a_stopped_queue_go_on_at_its_next_start(tmp_path: Path) -> None:
    backend = ScriptedBackend([ScriptStep(), ScriptStep(), ScriptStep(hold=asyncio.Event())])
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(TEXT)
        other = await rig.submit("Đây là câu 20.")
        await until(lambda: rig.queue.get(job.id).n_done == 2)
    async with job_rig(backend, tmp_path) as rig:
        assert [job.id, other.id] == [one.id for one in rig.queue.jobs]
        assert same(rig.heard(await rig.ended(job)), tones(SENTENCES))
        assert (await rig.ended(other)).state is JobState.DONE
    assert backend.record.finished == [*SENTENCES, "Đây là câu 20."]
    async with job_rig(backend, tmp_path) as rig:
        assert [one.state for one in rig.queue.jobs] == [JobState.DONE] * 2
        assert heard_in(rig.queue.audio(job.id))
