"""Announcements go before jobs: the order in which sentences are spoken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fake_clock import FakeClock
from job_rig import SENTENCES, TEXT, job_rig, tones
from tone_engine import same
from waiting import until

from vieneu_colab_server.relay.jobs.job import JobState
from vieneu_core.request_pace import RequestPace
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_between_sentences_a_job_waits_for_announcements(tmp_path: Path) -> None:
    backend = ScriptedBackend([ScriptStep()])
    async with job_rig(backend, tmp_path) as rig:
        rig.busy.append("announcement")
        job = await rig.submit(TEXT)
        await rig.reached(job, JobState.RUNNING)
        await rig.clock.advance(60)
        assert backend.record.begun == []

        rig.busy.clear()
        assert same(rig.heard(await rig.ended(job)), tones(SENTENCES))


async def test_an_announcement_does_not_wait_for_the_end_of_a_sentence(tmp_path: Path) -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(), ScriptStep(after_chunks=1, hold=hold)])
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(TEXT)
        await until(lambda: backend.record.begun == SENTENCES[:2])
        rig.busy.append("announcement")
        await rig.clock.advance(1.0)
        assert backend.record.closed_early == 1
        assert backend.in_flight == 0, "it is the announcement's turn"
        await rig.clock.advance(60)
        assert backend.record.begun == SENTENCES[:2]

        rig.busy.clear()
        assert same(rig.heard(await rig.ended(job)), tones(SENTENCES))
    assert backend.record.finished == SENTENCES, "spoken anew from its beginning"


async def test_announcements_without_end_do_not_stop_a_sentence_for_ever(tmp_path: Path) -> None:
    hold = asyncio.Event()
    steps = [ScriptStep(after_chunks=1, hold=hold) for _ in range(3)]
    backend = ScriptedBackend(steps)
    async with job_rig(backend, tmp_path, max_interruptions=2) as rig:
        job = await rig.submit(SENTENCES[0])
        for n_closed in (1, 2):
            await until(lambda n=n_closed: len(backend.record.begun) == n)  # type: ignore[misc]
            rig.busy.append("announcement")
            await rig.clock.advance(1.0)
            assert backend.record.closed_early == n_closed
            rig.busy.clear()
            await rig.clock.advance(1.0)
        await until(lambda: len(backend.record.begun) == 3)
        rig.busy.append("announcement")
        await rig.clock.advance(1.0)
        assert backend.record.closed_early == 2
        hold.set()
        await until(lambda: backend.record.finished == SENTENCES[:1])
        rig.busy.clear()
        await rig.ended(job)


async def test_an_interrupted_sentence_counts_in_the_pace(tmp_path: Path) -> None:
    backend = ScriptedBackend([ScriptStep(hold=asyncio.Event())], name="remote")
    clock = FakeClock()
    async with job_rig(backend, tmp_path, clock=clock, pace=RequestPace(clock, 6)) as rig:
        job = await rig.submit(TEXT)
        await until(lambda: len(backend.record.begun) == 1)
        rig.busy.append("announcement")
        await rig.clock.advance(1.0)
        rig.busy.clear()
        await rig.clock.advance(1.0)
        await until(lambda: rig.queue.get(job.id).n_done == 1)
        await rig.clock.advance(17.0)
        assert len(backend.record.begun) == 2
        await rig.clock.advance(5.0)
        await until(lambda: len(backend.record.begun) == 3)


async def test_a_remote_backend_is_left_room_for_announcements(tmp_path: Path) -> None:
    backend = ScriptedBackend(name="remote")
    clock = FakeClock()
    async with job_rig(backend, tmp_path, clock=clock, pace=RequestPace(clock, 30)) as rig:
        job = await rig.submit(TEXT)
        for n_finished in range(1, 7):
            await until(lambda n=n_finished: rig.queue.get(job.id).n_done == n)  # type: ignore[misc]
            await rig.clock.advance(1.5)
            assert len(backend.record.finished) == n_finished
            await rig.clock.advance(0.5)
        await rig.ended(job)
