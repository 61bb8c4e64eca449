"""Jobs that speak with the voice of reference audio of their own."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from job_rig import SENTENCES, TEXT, JobRig, job_rig, names_in, tones
from job_site import JobSite
from relay_site import TONES, relaying
from router_rig import TEXT as ROUTED_TEXT
from router_rig import RouterRig, lost
from server_site import TOKEN
from tone_engine import same
from voice_clips import clip, wav_file
from waiting import until

from vieneu_colab_server.relay.jobs.errors import DamagedJobError, JobStorageError
from vieneu_colab_server.relay.jobs.job import Fallback, Job, JobState, NoteKind
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SECRET = "Xin chào các bạn, tôi là Lan."


def own_clip(seed: int = 0) -> ReferenceAudio:
    made = clip(seed)
    return ReferenceAudio(pcm=made.pcm, sample_rate_hz=made.sample_rate_hz, transcript=SECRET)


class CloningBackend(ScriptedBackend):
    """A backend that notes with which voice or clip each sentence is asked for."""

    def __init__(self) -> None:
        super().__init__(clones=True)
        self.asked: list[str | None] = []

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        clip_id = None if request.reference is None else request.reference.content_id
        self.asked.append(clip_id or request.voice)
        async for chunk in super().stream(request):
            yield chunk


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("voice", [None, "vi-low"])
async def test_a_text_is_spoken_with_the_clip_which_is_then_gone(
    tmp_path: Path, voice: str | None
) -> None:
    backend = CloningBackend()
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(TEXT, reference=own_clip(), voice=voice)
        kept = await asyncio.to_thread((tmp_path / job.id / "reference").stat)
        assert kept.st_mode & 0o077 == 0
        done = await rig.ended(job)
        assert done.state is JobState.DONE, done.problem
        assert same(rig.heard(done), tones(SENTENCES))
        assert done.spec.has_reference
        assert SECRET not in done.model_dump_json()
        whole = ["job.json", "speech.srt", "speech.wav"]
        await until(lambda: names_in(tmp_path / job.id) == whole)
        stored = await asyncio.to_thread((tmp_path / job.id / "job.json").read_text, "utf-8")
        assert SECRET not in stored
    assert backend.asked == [own_clip().content_id] * len(SENTENCES)


async def test_in_a_dialogue_it_speaks_for_those_without_a_voice(tmp_path: Path) -> None:
    backend = CloningBackend()
    await backend.load()
    voice = (await backend.voices())[-1].id
    script = "Lan: Đây là câu 1.\nMinh: Đây là câu 2.\nBà: Đây là câu 3.\nLAN: Đây là câu 4."
    async with job_rig(backend, tmp_path) as rig:
        await rig.done(
            script, kind=ScriptKind.DIALOGUE, voices={"Minh": voice}, reference=own_clip()
        )
    clip_id = own_clip().content_id
    assert backend.asked == [clip_id, voice, clip_id, clip_id]


async def test_a_restart_goes_on_with_the_same_clip(tmp_path: Path) -> None:
    backend = CloningBackend()
    backend.script = [ScriptStep(), ScriptStep(), ScriptStep(hold=asyncio.Event())]
    async with job_rig(backend, tmp_path) as rig:
        job = await rig.submit(TEXT, reference=own_clip())
        await until(lambda: rig.queue.get(job.id).n_done == 2)
    again = CloningBackend()
    async with job_rig(again, tmp_path) as rig:
        done = await rig.ended(rig.queue.get(job.id))
        assert done.state is JobState.DONE, done.problem
        assert same(rig.heard(done), tones(SENTENCES))
    assert again.asked == [own_clip().content_id] * 4


async def stopped_midway(folder: Path) -> Job:
    backend = CloningBackend()
    backend.script = [ScriptStep(), ScriptStep(hold=asyncio.Event())]
    async with job_rig(backend, folder) as rig:
        job = await rig.submit(TEXT, reference=own_clip())
        await until(lambda: rig.queue.get(job.id).n_done == 1)
    return job


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "head", "transcript", "sound"])
async def test_a_damaged_clip_fails_the_job_and_speaks_with_no_other_voice(
    tmp_path: Path, damage: str
) -> None:
    job = await stopped_midway(tmp_path)
    path = tmp_path / job.id / "reference"
    content = await asyncio.to_thread(path.read_bytes)
    changed = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "head": content[5:],
        "transcript": content.replace(b"Lan", b"Mai", 1),
        "sound": flipped(content, len(content) * 2 // 3),
    }
    if damage == "gone":
        await asyncio.to_thread(path.unlink)
    else:
        await asyncio.to_thread(path.write_bytes, changed[damage])
    backend = CloningBackend()
    async with job_rig(backend, tmp_path) as rig:
        failed = await rig.ended(rig.queue.get(job.id))
        assert failed.state is JobState.FAILED
        assert failed.problem is not None
        assert failed.problem.code == DamagedJobError.code
        assert "reference audio" in failed.problem.detail
        assert SECRET not in failed.model_dump_json()
    assert backend.asked == []


async def test_a_failed_job_keeps_its_clip_for_a_retry_and_a_cancelled_one_does_not(
    tmp_path: Path,
) -> None:
    backend = ScriptedBackend()  # it clones nothing
    async with job_rig(backend, tmp_path) as rig:
        failed = await rig.ended(await rig.submit(TEXT, reference=own_clip()))
        assert failed.problem is not None
        assert failed.problem.code == "cloning_unsupported"
        assert "reference" in names_in(tmp_path / failed.id)
        backend.clones = True
        done = await rig.ended(await rig.queue.retry(failed.id))
        assert done.state is JobState.DONE, done.problem
        rig.busy.append("an announcement")
        job = await rig.submit(TEXT, reference=own_clip())
        await rig.queue.cancel(job.id)
        assert names_in(tmp_path / job.id) == ["job.json"]


async def test_the_clip_counts_in_the_room_of_the_jobs(tmp_path: Path) -> None:
    noise = len(own_clip().pcm)
    async with job_rig(CloningBackend(), tmp_path, max_total_bytes=noise // 2) as rig:
        with pytest.raises(JobStorageError, match="would exceed"):
            await rig.submit(TEXT, reference=own_clip())
        assert rig.queue.jobs == ()
        assert [name for name in names_in(tmp_path) if name != ".lock"] == []


async def passing(routed: RouterRig, job_is: asyncio.Future[Job]) -> Job:
    while not job_is.done():
        await routed.clock.advance(0.5)
        await asyncio.sleep(0.001)
    return job_is.result()


async def with_lost_remote(routed: RouterRig, rig: JobRig, **spec: Any) -> Job:
    routed.remote.clones = True
    routed.remote.script = [ScriptStep(), ScriptStep(after_chunks=1, error=lost())]
    routed.remote.always = ScriptStep(error=lost())
    return await rig.submit(ROUTED_TEXT, reference=own_clip(), **spec)


async def test_a_fallback_that_cannot_clone_is_waited_out(tmp_path: Path) -> None:
    async with RouterRig() as routed, job_rig(routed.router, tmp_path, clock=routed.clock) as rig:
        job = await with_lost_remote(routed, rig)
        paused = await passing(routed, asyncio.ensure_future(rig.reached(job, JobState.PAUSED)))
        assert paused.problem is not None
        assert paused.problem.code == "chosen_voice_away"
        routed.remote.always = ScriptStep()
        done = await rig.ended(job)
        assert (done.state, done.notes) == (JobState.DONE, ())


async def test_a_fallback_that_cannot_clone_is_taken_where_it_is_accepted(tmp_path: Path) -> None:
    async with RouterRig() as routed, job_rig(routed.router, tmp_path, clock=routed.clock) as rig:
        job = await with_lost_remote(routed, rig, fallback=Fallback.ACCEPT)
        done = await rig.ended(job)
        assert done.state is JobState.DONE
        assert {note.kind for note in done.notes} == {NoteKind.FALLBACK}


@pytest.fixture
def cloning(backend: ScriptedBackend) -> ScriptedBackend:
    backend.clones = True
    return backend


SAMPLE = base64.b64encode(wav_file()).decode()


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"voice_sample_path": SAMPLE}, "invalid_request", "voice_transcript is missing"),
        ({"voice_transcript": SECRET}, "invalid_request", "voice_sample_path is missing"),
        ({"voice_sample_path": "aGk=", "voice_transcript": SECRET}, "reference_audio", "WAV"),
        ({"voice_sample_path": "%%", "voice_transcript": SECRET}, "reference_audio", "base64"),
        ({"voice_sample_path": "../a.wav", "voice_transcript": SECRET}, "reference_audio", ""),
        (
            {
                "voice_sample_path": base64.b64encode(wav_file(24)).decode(),
                "voice_transcript": SECRET,
            },
            "reference_audio",
            "lasts longer",
        ),
        ({"voice_sample_path": SAMPLE, "voice_transcript": "a" * 99_999}, "text_too_long", "99999"),
        ({"voice_sample_path": [], "voice_transcript": SECRET}, "invalid_request", "voice_sample"),
    ],
)
async def test_a_clip_that_cannot_be_used_is_refused_before_the_job_is_made(
    jobs: JobSite, fields: dict[str, Any], code: str, words: str
) -> None:
    status, found, detail = await jobs.refused(json={"text": "Đây là câu 1.", **fields})
    assert (status, found) == (422, code), detail
    assert words in detail
    assert SECRET not in detail
    assert jobs.queue.jobs == ()


@pytest.mark.usefixtures("cloning")
async def test_a_form_has_the_clip_as_a_second_file(jobs: JobSite) -> None:
    form = aiohttp.FormData({"voice_transcript": SECRET, "format": "wav"})
    form.add_field("file", TEXT.encode(), filename="a.txt")
    form.add_field("voice_sample_path", wav_file(), filename="bà.wav", content_type="audio/wav")
    async with jobs.site.post("/jobs", data=form) as response:
        assert response.status == 202, await response.text()
        job = await response.json()
    events = await jobs.events(job["id"])
    assert (events[-1][0], events[-1][1]["state"]) == ("end", "done")
    assert job["spec"]["has_reference"]
    assert SECRET not in json.dumps(events, ensure_ascii=False)


async def test_a_field_of_a_browser_in_which_no_file_was_chosen_is_none(jobs: JobSite) -> None:
    form = aiohttp.FormData({"format": "wav"})
    form.add_field("file", TEXT.encode(), filename="a.txt")
    form.add_field("voice_sample_path", b"", filename="")
    async with jobs.site.post("/jobs", data=form) as response:
        assert response.status == 202, await response.text()
        assert not (await response.json())["spec"]["has_reference"]


BODY = {"text": TEXT, "voice_sample_path": SAMPLE, "voice_transcript": SECRET, "format": "wav"}
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("clones", [True, False])
async def test_a_relay_takes_it_where_its_engine_clones(
    tmp_path: Path, clones: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = f"{TONES}  options:\n    clones: {str(clones).lower()}\n"
    caplog.set_level("DEBUG")
    async with relaying(tmp_path, settings) as site:
        made = site.session.post(f"{site.url}/jobs", json=BODY, headers=HEADERS)
        async with made as response:
            answer = await response.json()
        if not clones:
            assert (response.status, answer["code"]) == (422, "cloning_unsupported")
            assert not any((tmp_path / "jobs").glob("*/job.json"))
            return
        assert response.status == 202, answer
        events = f"{site.url}/jobs/{answer['id']}/events"
        async with site.session.get(events, headers=HEADERS) as response:
            reported = await response.text()
        assert '"state":"done"' in reported
    assert SECRET not in reported + caplog.text
    assert SAMPLE[:200] not in reported + caplog.text
