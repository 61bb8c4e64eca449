"""Jobs as they are heard at the end, whatever happened on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import get_args

import pytest
from fake_clock import FakeClock
from job_rig import SENTENCES, TEXT, job_rig, names_in, numbered, tones
from tone_engine import same
from waiting import until

from vieneu_colab_server.relay.jobs.job import JobFormat, JobSpec, JobState
from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.testing.scripted import ScriptedBackend

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.mark.parametrize("fmt", get_args(JobFormat))
async def test_a_text_is_heard_whole_in_every_format(tmp_path: Path, fmt: AudioFormat) -> None:
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.done(TEXT, format=fmt)

        assert same(rig.heard(job), tones(SENTENCES))
        assert (job.n_sentences, job.n_done, job.notes) == (6, 6, ())
        assert rig.queue.audio(job.id).stat().st_size == job.n_bytes
        kept = sorted(["job.json", f"speech.{fmt}", "speech.srt"])
        await until(lambda: names_in(tmp_path / job.id) == kept)


async def test_each_sentence_is_a_request_of_its_own(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    async with job_rig(backend, tmp_path) as rig:
        await rig.done(TEXT, voice="vi-tone", speed=1.25, language="vi-VN")

    assert [request.text for request in backend.record.requests] == [(s,) for s in SENTENCES]
    asked = {(r.voice, r.speed, r.language) for r in backend.record.requests}
    assert asked == {("vi-tone", 1.25, "vi-VN")}
    assert len({request.request_id for request in backend.record.requests}) == len(SENTENCES)


async def test_a_dialogue_is_spoken_by_the_voices_of_its_speakers(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    text = "Lan: Đây là câu 1.\nMinh: Đây là câu 2. Đây là câu 3.\nLan: Đây là câu 4."
    async with job_rig(backend, tmp_path) as rig:
        voices = {"Lan": "vi-tone", "Minh": "en-tone"}
        job = await rig.done(text, kind=ScriptKind.DIALOGUE, voices=voices)

        assert same(rig.heard(job), tones(numbered(4, 1)))
        assert "Minh: Đây là câu 2.\n" in rig.queue.subtitles(job.id).read_text()
    voices_asked = [request.voice for request in backend.record.requests]
    assert voices_asked == ["vi-tone", "en-tone", "en-tone", "vi-tone"]


async def test_progress_goes_up_sentence_by_sentence(tmp_path: Path) -> None:
    async with job_rig(ScriptedBackend(), tmp_path) as rig:
        job = await rig.submit(TEXT)
        seen = [state async for state in rig.queue.watch(job.id, every_s=60)]

    progress = [state.n_done for state in seen]
    assert progress == sorted(progress)
    assert set(progress) == set(range(7))
    assert [seen[0].state, seen[-1].state] == [JobState.QUEUED, JobState.DONE]
    assert seen[-1].seconds is not None
    assert seen[-2].joining


async def test_two_clients_are_served_one_after_the_other(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    one, two = numbered(3), numbered(3, 10)
    async with job_rig(backend, tmp_path) as rig:
        jobs = await asyncio.gather(rig.submit(" ".join(one)), rig.submit(" ".join(two)))
        first, second = [await rig.ended(job) for job in jobs]

        assert same(rig.heard(first), tones(one))
        assert same(rig.heard(second), tones(two))
    assert backend.record.finished == [*one, *two], "one at a time, in the order of their coming"


async def test_an_uploaded_voice_speaks_with_its_clip(tmp_path: Path) -> None:
    backend = ScriptedBackend(clones=True)
    await backend.load()
    clip = ReferenceAudio(pcm=bytes(200), sample_rate_hz=100, transcript="Xin chào.")
    queue = JobQueue(
        backend,
        JobStore(tmp_path, max_total_bytes=10**8),
        FakeClock(),
        lambda: False,
        find_reference=lambda voice: clip if voice == "clip-1" else None,
    )
    async with queue:
        spec = JobSpec(kind=ScriptKind.DIALOGUE, voices={"Lan": "clip-1", "Minh": "vi-tone"})
        job = await queue.submit(spec, "Lan: Đây là câu 1.\nMinh: Đây là câu 2.")
        await until(lambda: queue.get(job.id).state is JobState.DONE)

    asked = [(request.voice, request.reference) for request in backend.record.requests]
    assert asked == [(None, clip), ("vi-tone", None)]
