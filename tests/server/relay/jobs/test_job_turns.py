"""Turns of long jobs: one that waits lets the others go first, and goes on before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_clock import FakeClock
from job_rig import job_rig, numbered, tones
from tone_engine import same
from waiting import until

from vieneu_colab_server.relay.jobs.job import JobState
from vieneu_colab_server.relay.jobs.turns import JobTurn, JobTurns
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.clock import SystemClock
from vieneu_core.errors import BackendUnavailableError
from vieneu_core.request_pace import RequestPace
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

pytestmark = pytest.mark.usefixtures("no_leaks")

AWAY, HERE = "vi-tone", "en-tone"
ONE, TWO, THREE = numbered(3), numbered(6, 10), numbered(2, 20)


class OneVoiceAway(ScriptedBackend):
    """A backend that speaks with one of its voices only by a fallback while ``away`` is set."""

    away = True

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        away = self.away and request.voice == AWAY
        async for chunk in super().stream(request):
            yield replace(chunk, speaker=replace(chunk.speaker, fallback=away))


async def test_a_job_that_waits_for_its_voice_does_not_block_the_others(tmp_path: Path) -> None:
    backend = OneVoiceAway()
    async with job_rig(backend, tmp_path) as rig:
        waiting = await rig.submit(" ".join(ONE), voice=AWAY)
        await rig.reached(waiting, JobState.PAUSED)
        others = [
            await rig.submit(" ".join(TWO), voice=HERE),
            await rig.submit(" ".join(THREE), voice=HERE),
        ]
        for job, sentences in zip(others, (TWO, THREE), strict=True):
            await until(lambda job=job: rig.queue.get(job.id).state.ended)  # type: ignore[misc]
            assert same(rig.heard(rig.queue.get(job.id)), tones(sentences))
        assert rig.queue.get(waiting.id).state is JobState.PAUSED

        backend.away = False
        assert same(rig.heard(await rig.ended(waiting)), tones(ONE))
    assert backend.record.finished == [*TWO, *THREE, *ONE]


async def test_a_job_that_can_go_on_does_so_before_those_that_came_later(tmp_path: Path) -> None:
    backend = OneVoiceAway()
    async with job_rig(backend, tmp_path) as rig:
        waiting = await rig.submit(" ".join(ONE), voice=AWAY)
        await rig.reached(waiting, JobState.PAUSED)
        rig.busy.append("announcement")  # holds the next one back before its first sentence
        later = await rig.submit(" ".join(TWO), voice=HERE)
        await rig.reached(later, JobState.RUNNING)
        backend.away = False
        await rig.clock.advance(60)
        rig.busy.clear()
        await rig.ended(waiting)
        assert rig.queue.get(later.id).state in {JobState.QUEUED, JobState.RUNNING}
        assert same(rig.heard(await rig.ended(later)), tones(TWO))
    assert backend.record.finished == [TWO[0], *ONE, *TWO[1:]]


async def test_a_waiting_job_is_cancelled_and_the_rest_goes_on(tmp_path: Path) -> None:
    backend = OneVoiceAway()
    async with job_rig(backend, tmp_path) as rig:
        waiting = await rig.submit(" ".join(ONE), voice=AWAY)
        await rig.reached(waiting, JobState.PAUSED)
        rig.busy.append("announcement")
        running = await rig.submit(" ".join(TWO), voice=HERE)
        queued = await rig.submit(" ".join(THREE), voice=HERE)
        await rig.reached(running, JobState.RUNNING)
        for job in (waiting, running):
            assert (await rig.queue.cancel(job.id)).state is JobState.CANCELLED
        rig.busy.clear()
        assert (await rig.ended(queued)).state is JobState.DONE


async def test_all_jobs_together_keep_the_pace_of_the_remote_backend(tmp_path: Path) -> None:
    backend = ScriptedBackend(name="remote")
    clock = FakeClock()
    async with job_rig(backend, tmp_path, clock=clock, pace=RequestPace(clock, 30)) as rig:
        first = await rig.submit(ONE[0])
        second = await rig.submit(TWO[0])
        await until(lambda: rig.queue.get(first.id).state is JobState.DONE)
        await rig.clock.advance(1.5)
        assert backend.record.finished == ONE[:1]
        await rig.ended(second)


class Away(ScriptedBackend):
    """A backend that speaks with none but one voice while ``away`` is set."""

    away = True
    n_refused = 0

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        if self.away and request.voice != HERE:
            self.n_refused += 1
            raise BackendUnavailableError("Away.", backend=self.name)
        async for chunk in super().stream(request):
            yield chunk


async def test_in_an_outage_one_job_tries_and_the_others_go_on_once_it_has_spoken(
    tmp_path: Path,
) -> None:
    backend = Away()
    async with job_rig(backend, tmp_path) as rig:
        first = await rig.submit(" ".join(ONE))
        await rig.reached(first, JobState.PAUSED)
        await rig.clock.advance(600)
        before = backend.n_refused
        others = [await rig.submit(" ".join(THREE)) for _ in range(8)]
        for job in others:
            await rig.reached(job, JobState.PAUSED)
        assert backend.n_refused == before + len(others), "each has tried once"
        await rig.clock.advance(600)
        assert backend.n_refused <= before + len(others) + 11

        await rig.queue.cancel(first.id)
        await rig.clock.advance(600)
        before += len(others) + 11
        assert before + 8 <= backend.n_refused <= before + 22, "the next one tries in its place"
        backend.away = False
        await rig.clock.advance(60)
        for job in others:
            await until(lambda job=job: rig.queue.get(job.id).state is JobState.DONE)  # type: ignore[misc]


async def test_a_job_that_waits_for_another_voice_is_not_waited_for(tmp_path: Path) -> None:
    backend = OneVoiceAway()
    async with job_rig(backend, tmp_path) as rig:
        waiting = await rig.submit(" ".join(ONE), voice=AWAY)
        await rig.reached(waiting, JobState.PAUSED)
        await rig.clock.advance(300)
        backend.always = ScriptStep(error=BackendUnavailableError("Away."))
        later = await rig.submit(" ".join(TWO), voice=HERE)
        await rig.reached(later, JobState.PAUSED)
        backend.always = ScriptStep()
        await rig.clock.advance(5)
        await until(lambda: rig.queue.get(later.id).state is JobState.DONE)
        assert rig.queue.get(waiting.id).state is JobState.PAUSED


async def test_jobs_that_nothing_can_speak_wait_together_and_go_on_in_order(
    tmp_path: Path,
) -> None:
    backend = Away()
    async with job_rig(backend, tmp_path) as rig:
        jobs = [await rig.submit(" ".join(sentences)) for sentences in (ONE, THREE)]
        for job in jobs:
            await rig.reached(job, JobState.PAUSED)
        await rig.clock.advance(600)
        backend.away = False
        await rig.clock.advance(60)
        for job in jobs:
            assert (await rig.ended(job)).state is JobState.DONE
    assert sorted(backend.record.finished) == sorted([*ONE, *THREE])


async def test_the_turn_goes_to_the_oldest_and_past_those_that_gave_up() -> None:
    turns = JobTurns()
    now = SystemClock().now()
    first, second, third = (turns.of((now, str(n))) for n in range(3))
    await first.take()
    order: list[str] = []

    async def take(name: str, turn: JobTurn) -> None:
        await turn.take()
        order.append(name)

    late = asyncio.create_task(take("third", third))
    gave_up = asyncio.create_task(take("second", second))
    await asyncio.sleep(0)
    assert first.older_waits is False
    assert third.older_waits
    gave_up.cancel()
    first.release()
    await asyncio.wait([late, gave_up])
    assert order == ["third"]
    third.release()
    third.release()
    await first.take()
