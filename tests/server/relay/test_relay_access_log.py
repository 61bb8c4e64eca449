"""One line for each answer of the relay, with the name of its route in whatever app it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from access_lines import lines
from relay_site import RelaySite, relaying
from server_site import TOKEN
from speak_user import speak_user


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


async def test_each_answer_is_logged_once_and_by_name(
    site: RelaySite, log: pytest.LogCaptureFixture
) -> None:
    async with speak_user(site) as user:
        await user.call("GET", "/voices", 401)
        await user.log_in()
        await user.call("GET", "/voices")
        await user.call("GET", "/jobs/none-of-this-name", 404)
        await user.call("GET", f"/{TOKEN[::-1]}", 400)
    await site.call("GET", "/status")
    for method, path in (
        ("GET", "/"),
        ("GET", "/static/speak/page.js"),
        ("GET", "/relay"),
        ("GET", "/relay/"),
        ("GET", "/relay/static/shared/style.css"),
        ("POST", "/relay/api/backends/none/check"),
        ("GET", "/health"),
        ("POST", "/v1/audio/speech"),
        ("GET", "/nothing"),
    ):
        async with site.session.request(method, site.url + path, allow_redirects=False):
            pass

    assert [line.rpartition(":")[0] for line in lines(log)] == [
        "GET /speak/api/voices",
        "POST /speak/api/login",
        "GET /voices",
        "GET /jobs/{job_id}",
        "GET (unknown path)",
        "GET /relay/api/status",
        "GET /",
        "GET /static/speak/page.js",
        "GET /relay",
        "GET /relay/",
        "GET /relay/static/shared/style.css",
        "POST /relay/api/backends/{name}/check",
        "GET /health",
        "POST /v1/audio/speech",
        "GET (unknown path)",
    ]
