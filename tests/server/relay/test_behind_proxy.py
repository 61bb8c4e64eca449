"""Relay behind a reverse proxy: what streams is not held back, and https:// is known."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from relay_site import TONES, RelaySite, relaying
from server_site import TOKEN

from vieneu_colab_server.relay.guard import SESSION_COOKIE

SPEAK: dict[str, Any] = {"json": {"text": "Xin chào."}}
OPENAI: dict[str, Any] = {"model": "vieneu", "voice": "alloy", "input": "Xin chào."}
STREAMS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/tts/stream", SPEAK),
    ("POST", "/tts/stream", {**SPEAK, "headers": {"Accept": "audio/ogg"}}),
    ("POST", "/v1/audio/speech", {"json": OPENAI}),
    ("POST", "/v1/audio/speech", {"json": {**OPENAI, "stream_format": "sse"}}),
    ("GET", "/relay/api/events", {}),
    ("POST", "/relay/api/cache/prepare", {"json": {"announcements": ["Xin chào."]}}),
]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    cache = f"cache:\n  enabled: true\n  folder: {json.dumps(str(tmp_path / 'cache'))}\n"
    async with relaying(tmp_path, TONES + cache) as site:
        yield site


async def _asked(site: RelaySite, method: str, path: str, options: dict[str, Any]) -> str:
    """Return the two headers by which a proxy knows a stream; read nothing of it."""
    token = site.admin_token if path.startswith("/relay/") else TOKEN
    headers = {"Authorization": f"Bearer {token}", **options.get("headers", {})}
    asked = {**options, "headers": headers}
    async with site.session.request(method, site.url + path, **asked) as answer:
        assert answer.status == 200, await answer.text()
        assert "Content-Length" not in answer.headers
        reported = (answer.headers.get(name) for name in ("X-Accel-Buffering", "Cache-Control"))
        return " ".join(map(str, reported))


@pytest.mark.parametrize(("method", "path", "options"), STREAMS)
async def test_what_streams_says_so(
    site: RelaySite, method: str, path: str, options: dict[str, Any]
) -> None:
    assert await _asked(site, method, path, options) == "no no-store, no-transform"


async def test_the_events_of_a_job_say_so(site: RelaySite) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with site.session.post(
        f"{site.url}/jobs", json={"text": "Xin chào."}, headers=headers
    ) as made:
        job = await made.json()
    reported = await _asked(site, "GET", f"/jobs/{job['id']}/events", {})
    assert reported == "no no-store, no-transform"


@pytest.mark.parametrize(("scheme", "is_secure"), [("https", True), ("http", False)])
async def test_behind_https_the_cookie_is_sent_over_https_only(
    site: RelaySite, scheme: str, *, is_secure: bool
) -> None:
    code = site.account.new_code().get_secret_value()
    async with (
        aiohttp.ClientSession(headers={"X-Forwarded-Proto": scheme}) as browser,
        browser.post(f"{site.url}/relay/api/login/code", json={"code": code}) as answer,
    ):
        assert answer.status == 200
        assert ("Secure" in answer.headers["Set-Cookie"]) is is_secure


@pytest.mark.parametrize(
    ("fetched_from", "status"), [("same-origin", 200), ("same-site", 401), ("cross-site", 401)]
)
async def test_the_browser_itself_says_where_a_change_comes_from(
    site: RelaySite, fetched_from: str, status: int
) -> None:
    """Many proxies replace the Host that would be compared with the origin."""
    session = site.account.log_in_with_code(site.account.new_code().get_secret_value())
    headers = {"Origin": "https://relay.example", "Sec-Fetch-Site": fetched_from}
    async with (
        aiohttp.ClientSession(cookies={SESSION_COOKIE: session.get_secret_value()}) as browser,
        browser.post(
            f"{site.url}/relay/api/mode", json={"mode": "local"}, headers=headers
        ) as answer,
    ):
        assert answer.status == status


async def test_an_origin_that_is_the_host_does_not_outweigh_the_browser(site: RelaySite) -> None:
    session = site.account.log_in_with_code(site.account.new_code().get_secret_value())
    headers = {"Origin": site.url, "Sec-Fetch-Site": "cross-site"}
    async with (
        aiohttp.ClientSession(cookies={SESSION_COOKIE: session.get_secret_value()}) as browser,
        browser.post(
            f"{site.url}/relay/api/mode", json={"mode": "local"}, headers=headers
        ) as answer,
    ):
        assert answer.status == 401
