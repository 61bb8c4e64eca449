"""Jobs while a fallback would speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from job_rig import SENTENCES, TEXT, JobRig, job_rig, tones
from tone_engine import same

from vieneu_colab_server.relay.jobs.job import Fallback, Job, JobState, NoteKind
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import UnpronounceableError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend

pytestmark = pytest.mark.usefixtures("no_leaks")


class FallbackBackend(ScriptedBackend):
    """A backend in whose place a fallback speaks while ``away`` is set."""

    away = False

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        away = self.away
        async for chunk in super().stream(request):
            yield replace(chunk, speaker=replace(chunk.speaker, fallback=away, voice="other"))


async def test_a_job_waits_for_the_chosen_voice(tmp_path: Path) -> None:
    backend = FallbackBackend()
    backend.away = True
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(TEXT)
        paused = await rig.reached(job, JobState.PAUSED)
        assert paused.problem is not None
        assert paused.problem.code == "chosen_voice_away"
        await rig.clock.advance(1200)
        assert backend.record.finished == [], "the fallback was stopped at its first sound"
        backend.away = False
        done = await rig.ended(job)
        assert same(rig.heard(done), tones(SENTENCES))
        assert done.notes == ()


async def test_after_a_while_a_fallback_is_taken_and_noted(tmp_path: Path) -> None:
    backend = FallbackBackend()
    backend.away = True
    async with job_rig(backend, tmp_path, fallback_wait_s=600) as rig:
        done = await rig.done(TEXT)
        assert same(rig.heard(done), tones(SENTENCES))
        assert [note.kind for note in done.notes] == [NoteKind.FALLBACK] * 6


async def back_after_three_sentences(rig: JobRig, backend: FallbackBackend) -> Job:
    """Submit the text; let the chosen voice be back once three sentences are spoken."""
    job = await rig.submit(TEXT)
    while rig.queue.get(job.id).n_done < 3:
        await rig.clock.advance(1)
        await asyncio.sleep(0.001)
    backend.away = False
    return await rig.ended(job)


async def test_what_a_fallback_spoke_is_spoken_again_once_the_chosen_voice_is_back(
    tmp_path: Path,
) -> None:
    backend = FallbackBackend()
    backend.away = True
    async with job_rig(backend, tmp_path, fallback_wait_s=0) as rig:
        done = await back_after_three_sentences(rig, backend)
        assert done.notes == ()
        assert same(rig.heard(done), tones(SENTENCES))
    again = len(backend.record.finished) - len(SENTENCES)
    assert 3 <= again < len(SENTENCES)
    assert backend.record.finished == [*SENTENCES, *SENTENCES[:again]]


async def test_an_unpronounceable_sentence_leaves_the_next_ones_to_be_spoken_again(
    tmp_path: Path,
) -> None:
    class Choosy(FallbackBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            if SENTENCES[0] in cast("tuple[str, ...]", request.text):
                raise UnpronounceableError("No sounds.")
            async for chunk in super().stream(request):
                yield chunk

    backend = Choosy()
    backend.away = True
    async with job_rig(backend, tmp_path, fallback_wait_s=0) as rig:
        done = await back_after_three_sentences(rig, backend)
        assert [note.kind for note in done.notes] == [NoteKind.LEFT_OUT]


async def test_a_job_may_accept_a_fallback_as_it_comes(tmp_path: Path) -> None:
    backend = FallbackBackend()
    backend.away = True
    async with job_rig(backend, tmp_path) as rig:
        done = await rig.done(TEXT, fallback=Fallback.ACCEPT)
        assert [note.kind for note in done.notes] == [NoteKind.FALLBACK] * 6
    assert backend.record.finished == SENTENCES
