"""Long jobs over HTTP: what programs and pages do with them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from job_rig import RATE_HZ, numbered, samples_of, tones
from job_site import JobSite
from openapi_spec_validator import validate
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = numbered(3)
TEXT = " ".join(SENTENCES)
SRT = """1
00:00:00,500 --> 00:00:02,000
Đây là câu 1.

2
00:00:04,000 --> 00:00:05,000
Đây là câu 2.
"""


async def test_a_text_becomes_a_file_with_subtitles(jobs: JobSite, tmp_path: Path) -> None:
    job = await jobs.done(text=TEXT, format="mp3", voice="vi-tone", name=" Truyện\u202e  ngắn ")
    assert job["spec"]["name"] == "Truyện ngắn"
    assert (job["n_sentences"], job["n_done"], job["n_notes"]) == (3, 3, 0)
    audio = await jobs.download(f"/jobs/{job['id']}/audio", tmp_path / "speech.mp3")
    assert same(heard(samples_of(audio), RATE_HZ), tones(SENTENCES))
    subtitles = await jobs.download(f"/jobs/{job['id']}/subtitles", tmp_path / "speech.srt")
    assert subtitles.read_text().startswith("1\n00:00:00,000 --> 00:00:0")
    async with jobs.site.get("/jobs") as response:
        assert [one["id"] for one in (await response.json())["jobs"]] == [job["id"]]


async def test_a_file_is_sent_as_a_form(jobs: JobSite, tmp_path: Path) -> None:
    fields = {"format": "ogg", "speed": "1.25", "voice": "", "fallback": "accept"}
    form = aiohttp.FormData(fields, quote_fields=False)  # as browsers do
    form.add_field("file", ("\ufeff" + SRT).encode(), filename="../../phim của tôi.SRT")
    async with jobs.site.post("/jobs", data=form) as response:
        assert response.status == 202, await response.text()
        job = await response.json()
    spec = job["spec"]
    assert (spec["kind"], spec["name"], spec["speed"]) == ("srt", "phim của tôi", 1.25)
    await jobs.events(job["id"])
    audio = await jobs.download(f"/jobs/{job['id']}/audio", tmp_path / "speech.ogg")
    want = [expected(s, speed=1.25) for s in numbered(2, 1)]
    assert same(heard(samples_of(audio), RATE_HZ), want)


async def test_a_dialogue_is_sent_as_a_form_or_as_json(jobs: JobSite) -> None:
    text, voices = "Lan: Đây là câu 1.\nMinh: Đây là câu 2.", {"Lan": "vi-tone", "Minh": "en-tone"}
    form = aiohttp.FormData({"kind": "dialogue", "voices": json.dumps(voices)})
    form.add_field("file", text.encode(), filename="a.txt")
    async with jobs.site.post("/jobs", data=form) as response:
        first = await response.json()
    assert first["spec"]["voices"] == voices
    second = await jobs.done(dialogue=text, voices=voices)
    assert second["spec"] == {**first["spec"], "name": ""}


async def test_progress_comes_as_events(jobs: JobSite) -> None:
    job = await jobs.post(text=TEXT)
    events = await jobs.events(job["id"])
    assert [name for name, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    assert events[-1][0] == "end"
    n_done = [state["n_done"] for _, state in events]
    assert n_done == sorted(n_done)
    assert (await jobs.events(job["id"]))[0][0] == "end", "an ended job has one event"


async def test_a_client_that_leaves_is_no_longer_counted(
    jobs: JobSite, backend: ScriptedBackend
) -> None:
    backend.always = ScriptStep(hold=asyncio.Event())
    job = await jobs.post(text=TEXT)
    async with jobs.site.get(f"/jobs/{job['id']}/events") as response:
        await response.content.readuntil(b"\n\n")
        assert jobs.queue._board.n_watchers == 1
    await until(lambda: jobs.queue._board.n_watchers == 0)


async def test_a_stopping_server_ends_the_events(jobs: JobSite, backend: ScriptedBackend) -> None:
    backend.always = ScriptStep(hold=asyncio.Event())
    job = await jobs.post(text=TEXT)
    async with jobs.site.get(f"/jobs/{job['id']}/events") as response:
        await response.content.readuntil(b"\n\n")
        jobs.stopping = True
        await response.read()


async def test_a_part_of_the_audio_can_be_fetched(jobs: JobSite) -> None:
    job = await jobs.done(text=TEXT)
    path = f"/jobs/{job['id']}/audio"
    async with jobs.site.get(path) as response:
        whole = await response.read()
        assert response.content_type == "audio/mpeg"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["Cache-Control"] == "private, no-store"
        assert len(whole) == job["n_bytes"]
    async with jobs.site.get(path, headers={"Range": "bytes=100-199"}) as response:
        assert response.status == 206
        assert await response.read() == whole[100:200]
    async with jobs.site.get(path, headers={"Range": "bytes=999999999-"}) as response:
        assert response.status == 416


async def test_a_job_is_cancelled_then_removed(jobs: JobSite, backend: ScriptedBackend) -> None:
    backend.always = ScriptStep(after_chunks=1, hold=asyncio.Event())
    job = await jobs.post(text=TEXT)
    await until(lambda: backend.record.begun)
    following = asyncio.create_task(jobs.events(job["id"]))
    path = f"/jobs/{job['id']}"
    await until(lambda: jobs.queue._board.n_watchers == 1)
    async with jobs.site.session.delete(jobs.site.url + path) as response:
        assert response.status == 204
    assert (await following)[-1][1]["state"] == "cancelled"
    assert backend.record.closed_early == 1
    async with jobs.site.get(path) as response:
        assert (await response.json())["state"] == "cancelled"
    async with jobs.site.get(path + "/audio") as response:
        assert (await jobs.site.problem(response)).code == "job_not_done"
        assert response.status == 409
    async with jobs.site.session.delete(jobs.site.url + path) as response:
        assert response.status == 204
    for method, suffix in [("GET", ""), ("DELETE", ""), ("GET", "/audio"), ("GET", "/events")]:
        async with jobs.site.session.request(method, jobs.site.url + path + suffix) as response:
            assert (await jobs.site.problem(response)).code == "job_not_found"
            assert response.status == 404


async def test_an_announcement_is_spoken_before_the_rest_of_a_job(
    jobs: JobSite, backend: ScriptedBackend
) -> None:
    announced = asyncio.Event()
    backend.script = [
        ScriptStep(),
        ScriptStep(after_chunks=1, hold=asyncio.Event()),
        ScriptStep(hold=announced),
    ]
    job = await jobs.post(text=TEXT)
    await until(lambda: len(backend.record.begun) == 2)
    body = {"text": "Bữa tối đã sẵn sàng."}
    announcing = asyncio.create_task(jobs.announce(body))
    await until(lambda: backend.record.closed_early == 1)
    announced.set()
    await announcing
    await jobs.events(job["id"])
    assert backend.record.finished == [SENTENCES[0], "Bữa tối đã sẵn sàng.", *SENTENCES[1:]]


async def test_two_clients_at_once_get_what_each_asked_for(jobs: JobSite, tmp_path: Path) -> None:
    async def one(number: int) -> None:
        sentences = numbered(3, number)
        job = await jobs.done(text=" ".join(sentences), format="wav")
        audio = await jobs.download(f"/jobs/{job['id']}/audio", tmp_path / f"{number}.wav")
        assert same(heard(samples_of(audio), RATE_HZ), tones(sentences))

    await asyncio.gather(one(10), one(20))


async def test_a_failed_job_is_tried_again(jobs: JobSite, backend: ScriptedBackend) -> None:
    job = await jobs.post(text=TEXT, voice="missing")
    [*_, (_, failed)] = await jobs.events(job["id"])
    assert (failed["state"], failed["problem"]["code"]) == ("failed", "voice_not_found")
    async with jobs.site.post(f"/jobs/{job['id']}/retry") as response:
        assert (await response.json())["state"] == "queued"
    await jobs.events(job["id"])
    assert backend.record.finished == []
    other = await jobs.done(text=TEXT)
    async with jobs.site.post(f"/jobs/{other['id']}/retry") as response:
        assert response.status == 409


async def test_without_the_token_nothing_is_to_be_had(jobs: JobSite) -> None:
    job = await jobs.done(text=TEXT)
    async with aiohttp.ClientSession() as stranger:
        for path in ("/jobs", f"/jobs/{job['id']}", f"/jobs/{job['id']}/audio"):
            async with stranger.get(jobs.site.url + path) as response:
                assert response.status == 401


@pytest.mark.parametrize(
    "path", ["/jobs/..%2f..%2fetc%2fpasswd", "/jobs/%00", "/jobs/x/audio", "/jobs/é/subtitles"]
)
async def test_other_ids_find_nothing(jobs: JobSite, path: str) -> None:
    async with jobs.site.get(path) as response:
        assert response.status == 404
        await jobs.site.problem(response)


@pytest.mark.parametrize("charset", ["undefined", "punycode"])
async def test_a_form_in_no_charset_is_refused(jobs: JobSite, charset: str) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="a\xff"\r\n\r\nb\r\n--x--\r\n'
    media_type = f"multipart/form-data; boundary=x; charset={charset}"
    status, code, detail = await jobs.refused(data=form, headers={"Content-Type": media_type})
    assert (status, code) == (422, "invalid_request")
    # From Python 3.13 on, a fault of punycode is one that the parser of forms reads as Latin-1.
    assert "charset" in detail or (charset == "punycode" and "aÿ: it is not known" in detail)


async def test_the_routes_describe_themselves(jobs: JobSite) -> None:
    jobs.app.openapi_schema = None
    document = jobs.app.openapi()
    validate(document)
    paths = {path for path in document["paths"] if path.startswith("/jobs")}
    suffixes = ("", "/events", "/audio", "/subtitles", "/retry")
    assert paths == {"/jobs", *(f"/jobs/{{job_id}}{suffix}" for suffix in suffixes)}
    content = document["paths"]["/jobs"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}


async def test_a_file_that_somebody_has_deleted_is_named(jobs: JobSite) -> None:
    job = await jobs.done(text=TEXT, format="wav")
    jobs.queue.audio(job["id"]).unlink()
    async with jobs.site.get(f"/jobs/{job['id']}/audio") as response:
        problem = await jobs.site.problem(response)
        assert (response.status, problem.code) == (404, "job_not_found")
        assert problem.remedy == "Make the job again."
    async with jobs.site.get(f"/jobs/{job['id']}/subtitles") as response:
        assert response.status == 200
