"""The parts of the relay together, over HTTP: speech, its cache, long jobs, metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from exposition import Exposed
from relay_site import RelaySite, relaying
from remote_site import PATIENT
from server_site import TOKEN
from tone_engine import expected, heard, same
from yarl import URL

from vieneu_core.audio.decode import decode_clip
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import Speech

SETTINGS = "local:\n  engine: tone_engine:create\ncache:\n  enabled: true\n  folder: {folder}\n"
ANNOUNCEMENT = "Có khách ở cổng."
SPEECH = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path, SETTINGS.format(folder=tmp_path / "speech")) as site:
        yield site


async def spoken(site: RelaySite, text: str) -> Speech:
    """Speech of the relay, as a client of vieneu-server receives it."""
    remote = RemoteBackend(site.url, TOKEN, timeouts=PATIENT)
    try:
        await remote.load()
        speech = await synthesize(remote, text)
    finally:
        await remote.aclose()
    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(text)])
    return speech


async def metrics(site: RelaySite) -> Exposed:
    async with site.session.get(f"{site.url}/metrics", headers=SPEECH) as response:
        assert response.status == 200
        return Exposed(await response.text())


async def prepared(site: RelaySite, *announcements: str, **body: Any) -> list[dict[str, Any]]:
    body = {"announcements": announcements, **body}
    async with site.api("POST", "/cache/prepare", json=body) as response:
        assert response.status == 200, await response.text()
        assert response.headers["X-Accel-Buffering"] == "no"
        return [json.loads(line) for line in (await response.text()).splitlines()]


async def until_stored(site: RelaySite) -> None:
    while not (await site.call("GET", "/cache"))["bytes"]:  # noqa: ASYNC110 - as a page does
        await asyncio.sleep(0.02)


async def test_an_announcement_is_replayed_from_the_cache(site: RelaySite) -> None:
    first = await spoken(site, ANNOUNCEMENT)
    assert not any(speaker.cached for speaker in first.speakers)
    await until_stored(site)

    second = await spoken(site, ANNOUNCEMENT)
    assert all(speaker.cached for speaker in second.speakers)
    found = await metrics(site)
    assert found.value("vieneu_speech_cache_hits_total") == 1
    assert found.value("vieneu_speech_cache_misses_total") == 1
    for source in ("live", "cache"):
        named = {"backend": "local", "source": source}
        assert found.value("vieneu_requests_total", outcome="ok", **named) == 1
        assert found.value("vieneu_sentences_total", fallback="false", **named) == 1
    assert found.value("vieneu_first_audio_seconds_count", backend="local") == 1


async def test_announcements_are_prepared_and_each_failure_is_stated(site: RelaySite) -> None:
    lines = await prepared(site, ANNOUNCEMENT, "refuse", "", ANNOUNCEMENT)
    assert [line["outcome"] for line in lines] == ["prepared", "failed", "failed", "present"]
    assert all(line["problem"]["detail"] for line in lines[1:3])
    found = await metrics(site)
    named = {"backend": "local", "source": "preparation"}
    assert found.value("vieneu_requests_total", outcome="ok", **named) == 1
    assert found.value("vieneu_sentences_total", fallback="false", **named) == 1
    assert found.counted("vieneu_first_audio_seconds_count") == {}

    speech = await spoken(site, ANNOUNCEMENT)
    assert all(speaker.cached for speaker in speech.speakers)


async def test_one_announcement_that_kills_the_engine_fails_alone(site: RelaySite) -> None:
    lines = await prepared(site, "segfault", ANNOUNCEMENT)
    assert [line["outcome"] for line in lines] == ["failed", "prepared"]


async def test_prepared_speech_is_heard_after_the_backend_is_gone(site: RelaySite) -> None:
    await prepared(site, ANNOUNCEMENT)
    await site.call("POST", "/backends/local/unload", status=204)
    speech = await spoken(site, ANNOUNCEMENT)
    assert all(speaker.cached for speaker in speech.speakers)


@pytest.mark.parametrize(
    "body",
    [
        {"announcements": []},
        {"announcements": ["a" * 100_000]},
        {"announcements": ["a"] * 1_001},
        {"announcements": ["a"], "speed": 9},
        {"announcements": ["a"], "volume": 1},
    ],
)
async def test_a_wrong_list_is_refused_as_a_whole(site: RelaySite, body: dict[str, Any]) -> None:
    problem = await site.call("POST", "/cache/prepare", status=422, json=body)
    assert problem["detail"]


async def test_without_a_cache_the_setting_is_named(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        body = {"announcements": [ANNOUNCEMENT]}
        problem = await site.call("POST", "/cache/prepare", status=422, json=body)
        assert "cache.enabled" in problem["remedy"]


async def test_a_long_job_becomes_a_file(site: RelaySite) -> None:
    body = {"text": ANNOUNCEMENT, "format": "wav"}
    async with site.session.post(f"{site.url}/jobs", headers=SPEECH, json=body) as response:
        assert response.status == 202, await response.text()
        at = site.url + response.headers["Location"]
    while True:
        async with site.session.get(at, headers=SPEECH) as response:
            if (job := await response.json())["state"] in {"done", "failed"}:
                break
        await asyncio.sleep(0.02)
    assert job["state"] == "done", job
    found = await metrics(site)
    named = {"backend": "local", "source": "job"}
    assert found.value("vieneu_requests_total", outcome="ok", **named) == 1
    assert found.value("vieneu_audio_seconds_total", **named) == pytest.approx(
        expected(ANNOUNCEMENT).seconds, abs=0.1
    )
    assert found.counted("vieneu_first_audio_seconds_count") == {}
    assert found.counted("vieneu_jobs") == {(("state", "done"),): 1}
    minutes = (await site.call("GET", "/history"))["minutes"]
    assert not any(minute["first_audio_ms"] for minute in minutes)
    async with site.session.get(f"{at}/audio", headers=SPEECH) as response:
        clip = decode_clip(await response.read(), max_seconds=60)
    assert same(heard(clip.pcm, clip.sample_rate_hz), [expected(ANNOUNCEMENT)])


@pytest.mark.parametrize("path", ["/jobs", "/metrics", "/v1/models", "/voices"])
async def test_without_the_token_for_speech_nothing_is_told(site: RelaySite, path: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {site.admin_token}"}):
        async with site.session.get(
            site.url + path, headers=headers, skip_auto_headers=["Authorization"]
        ) as response:
            assert response.status == 401


@pytest.mark.parametrize("path", ["/jobs/%0A/retry", "/%0A", "/relay/%0Aapi"])
async def test_a_path_that_fits_nothing_is_a_problem_too(site: RelaySite, path: str) -> None:
    url = URL(site.url + path, encoded=True)
    async with site.session.post(url, headers=SPEECH) as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"
