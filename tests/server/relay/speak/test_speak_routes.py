"""The Speak page over HTTP: who may use its API, and what it reaches."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import av
import pytest
from exposition import Exposed
from relay_site import TONES, RelaySite, relaying
from server_site import TOKEN, decode_frames
from speak_user import SpeakUser, speak_user
from tone_engine import expected, heard, same
from yarl import URL

from vieneu_colab_server.relay.login import LOGINS_PER_MINUTE
from vieneu_colab_server.relay.speak.guard import SPEAK_COOKIE
from vieneu_core.audio import AudioFormat
from vieneu_core.wire.routes import FRAMES_PCM

SENTENCES = ["Đây là câu 3.", "Đây là câu 17."]


async def test_the_page_and_its_files_are_open_and_load_nothing_from_elsewhere(
    site: RelaySite,
) -> None:
    async with speak_user(site) as stranger:
        for path in ("/", "/static/speak/page.js", "/static/speak/texts.json"):
            async with stranger.session.get(site.url + path) as answer:
                text = await answer.text()
                assert answer.status == 200
                policy = answer.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'self'; ")
                assert "unsafe" not in policy
                assert answer.headers["Cache-Control"] == "no-cache"
                assert TOKEN not in text
        for outside in ("../routes.py", "%2e%2e/routes.py", "..%2froutes.py", "texts"):
            address = URL(f"{site.url}/static/speak/{outside}", encoded=True)
            async with stranger.session.get(address) as answer:
                assert answer.status == 401, "as any path that is not there"


FOR_USERS = (
    ("GET", "/page"),
    ("GET", "/voices"),
    ("POST", "/tts/stream"),
    ("POST", "/sentences"),
    ("POST", "/file-text"),
    ("POST", "/speech-file?rate=24000"),
    ("GET", "/jobs"),
    ("POST", "/jobs"),
    ("DELETE", "/jobs/1"),
    ("POST", "/logout"),
)


async def test_without_a_session_nothing_is_answered(site: RelaySite) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    forged = {"Cookie": f"{SPEAK_COOKIE}=99999999999.abc.{'0' * 64}"}
    async with speak_user(site) as stranger:
        for method, path in FOR_USERS:
            problem = await stranger.call(method, path, status=401)
            assert problem["code"] == "login_refused"
            await stranger.call(method, path, status=401, headers=headers)
            await stranger.call(method, path, status=401, headers=forged)


async def test_a_user_enters_the_token_once_and_may_use_the_page(site: RelaySite) -> None:
    async with speak_user(site) as user:
        async with user.api("POST", "/login", json={"token": f" {TOKEN}\n"}) as answer:
            assert answer.status == 200
            cookie = answer.cookies[SPEAK_COOKIE]
        assert cookie["httponly"]
        assert cookie["samesite"] == "strict"
        assert cookie["path"] == "/speak/api"
        assert TOKEN not in cookie.value
        page = await user.call("GET", "/page")
        assert page["max_text_chars"] == 4096
        assert page["clones"] is False
        voices = await user.call("GET", "/voices")
        assert "vi-low" in [voice["id"] for voice in voices["voices"]]
        await user.call("POST", "/logout")
        await user.call("GET", "/page", status=401)


async def test_wrong_tokens_are_refused_and_throttled(site: RelaySite) -> None:
    async with speak_user(site) as user:
        for _ in range(LOGINS_PER_MINUTE):
            problem = await user.log_in("wrong", status=401)
            assert problem["detail"] == "The token is wrong."
        await user.log_in("wrong", status=401)
        await user.log_in()  # the right one is never throttled
        body, headers = {"token": "wrong"}, {"X-Forwarded-For": "192.0.2.1"}
        await user.call("POST", "/login", 401, json=body, headers=headers)  # nor is another client


async def test_another_site_cannot_use_a_session(user: SpeakUser) -> None:
    elsewhere = {"Origin": "https://example.org"}
    body = {"text": "Xin chào."}
    await user.call("POST", "/sentences", status=401, json=body, headers=elsewhere)
    await user.call("POST", "/login", status=401, json={"token": TOKEN}, headers=elsewhere)
    here = {"Origin": user.url}
    assert await user.call("POST", "/sentences", json=body, headers=here)


async def test_a_user_of_the_page_is_no_admin(user: SpeakUser) -> None:
    for method, path in [
        ("POST", "/admin/rotate-token"),
        ("POST", "/admin/drain"),
        ("GET", "/metrics"),
        ("POST", "/voices"),
        ("POST", "/jobs/../admin/drain"),
        ("POST", "/jobs/%2e%2e/admin/drain"),
        ("POST", "/jobs%2f..%2fadmin/drain"),
    ]:
        async with user.api(method, path, json={}) as answer:
            assert answer.status in {400, 404, 405}, (path, answer.status)
    async with user.session.get(f"{user.url}/relay/api/status") as answer:
        assert answer.status == 401
    async with user.session.get(f"{user.url}/voices") as answer:
        assert answer.status == 401, "the cookie opens the page's API only"


async def test_speech_is_streamed_in_frames_that_name_who_spoke(user: SpeakUser) -> None:
    headers = {"Accept": FRAMES_PCM}
    async with user.api("POST", "/tts/stream", json={"text": SENTENCES}, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Cache-Control"] == "no-store, no-transform"
        got = decode_frames(await answer.read(), opus=False)
    assert [(start.backend, start.engine, start.voice) for start in got.starts] == [
        ("local", "tone", "vi-low")
    ] * 2
    assert same(heard(got.pcm, got.sample_rate_hz), [expected(text) for text in SENTENCES])


async def test_a_text_is_split_as_it_is_spoken(user: SpeakUser) -> None:
    answer = await user.call("POST", "/sentences", json={"text": "Câu 1. Câu 2!\n\nCâu 3"})
    assert answer["sentences"] == ["Câu 1.", "Câu 2!", "Câu 3"]
    problem = await user.call("POST", "/sentences", status=422, json={"text": "?!"})
    assert problem["code"] == "nothing_to_say"
    problem = await user.call("POST", "/sentences", status=422, json={"text": "a" * 4097})
    assert problem["code"] == "text_too_long"
    assert "long job" in problem["remedy"]


async def test_what_a_page_received_becomes_a_file(user: SpeakUser, tmp_path: Path) -> None:
    sentence = expected(SENTENCES[0])
    pcm = _spoken(SENTENCES[0])
    for fmt in ("mp3", "wav", "ogg"):
        async with user.api("POST", f"/speech-file?rate=24000&format={fmt}", data=pcm) as answer:
            assert answer.status == 200
            assert answer.content_type == AudioFormat(fmt).media_type
            (tmp_path / f"file.{fmt}").write_bytes(await answer.read())
        assert same(heard(*_decoded(tmp_path / f"file.{fmt}")), [sentence])


async def test_a_body_without_samples_becomes_no_file(user: SpeakUser) -> None:
    await user.call("POST", "/speech-file?rate=24000", status=422, data=b"abc")
    await user.call("POST", "/speech-file?rate=24000", status=422, data=b"")
    await user.call("POST", "/speech-file?rate=1", status=422, data=b"abcd")
    await user.call("POST", "/speech-file?rate=24000&format=exe", status=422, data=b"abcd")


async def test_errors_are_written_in_the_language_of_the_page(user: SpeakUser) -> None:
    body = {"text": "Xin chào.", "voice": "nobody"}
    problem = await user.call("POST", "/tts/stream", status=404, json=body)
    vietnamese = {"Accept-Language": "vi"}
    shown = await user.call("POST", "/problem-text", json=problem, headers=vietnamese)
    assert "nobody" in shown["detail"]
    assert "has no voice" not in shown["detail"]
    assert shown["remedy"] != problem["remedy"]
    english = await user.call("POST", "/problem-text", json=problem)
    assert english == {"detail": problem["detail"], "remedy": problem["remedy"]}


@pytest.mark.parametrize(
    ("detail", "value", "shown"),
    [("\ud800x", "\ud800", "?x"), ("x", 10**400, "x")],
    ids=["half a character", "a number without end"],
)
async def test_a_problem_that_nobody_made_is_shown_as_far_as_it_can_be(
    user: SpeakUser, detail: str, value: object, shown: str
) -> None:
    parts = {"detail": {"template": "{a:f}x", "values": {"a": value}}}
    problem = {"status": 500, "title": "t", "code": "c", "detail": detail, "parts": parts}
    assert (await user.call("POST", "/problem-text", json=problem))["detail"] == shown


async def test_a_page_that_is_closed_stops_the_backend(tmp_path: Path) -> None:
    slow = f"{TONES}  options:\n    chunk_delay_s: 0.2\n"
    async with relaying(tmp_path, slow) as site, speak_user(site) as user:
        await user.log_in()
        headers = {"Accept": FRAMES_PCM}
        body = {"text": [f"Đây là câu {n}." for n in range(100)]}
        async with user.api("POST", "/tts/stream", json=body, headers=headers) as answer:
            assert answer.status == 200
            await answer.content.readexactly(100)
        while not await cancelled(site):  # noqa: ASYNC110 - metrics tell nobody
            await asyncio.sleep(0.5)  # 240 requests a minute are answered


async def test_a_job_is_made_followed_and_fetched(user: SpeakUser) -> None:
    job = await user.call("POST", "/jobs", status=202, json={"text": " ".join(SENTENCES)})
    async with user.api("GET", f"/jobs/{job['id']}/events") as events:
        assert events.content_type == "text/event-stream"
        assert "event: end" in await events.text()
    for path in ("audio", "subtitles"):
        async with user.api("GET", f"/jobs/{job['id']}/{path}") as answer:
            assert answer.status == 200
            assert "attachment" in answer.headers["Content-Disposition"]
    await user.call("DELETE", f"/jobs/{job['id']}", status=204)
    assert (await user.call("GET", "/jobs"))["jobs"] == []


async def cancelled(site: RelaySite) -> bool:
    """Whether a backend saw that a request was cancelled."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=token) as client,
        client.get(f"{site.url}/metrics") as answer,
    ):
        found = Exposed(await answer.text())
    requests = found.counted("vieneu_requests_total")
    return any(("outcome", "cancelled") in labels for labels in requests)


def _spoken(sentence: str) -> bytes:
    from vieneu_core.testing.tone import sentence_tone

    return sentence_tone(sentence).pcm(24_000)


def _decoded(path: Path) -> tuple[bytes, int]:
    with av.open(path, "r") as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=24_000)
        frames = [one for frame in file.decode(audio=0) for one in resampler.resample(frame)]
    return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames), 24_000
