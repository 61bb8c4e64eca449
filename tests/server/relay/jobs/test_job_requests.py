"""Requests for jobs that cannot be served, each with its reason."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from job_site import JobSite
from relay_site import relaying
from server_site import TOKEN


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({}, 422, "invalid_request", "exactly one of"),
        ({"text": "a", "srt": "b"}, 422, "invalid_request", "exactly one of"),
        ({"text": "a", "voices": {"A": "b"}}, 422, "invalid_request", "for a dialogue"),
        ({"text": "a", "format": "exe"}, 422, "invalid_request", "format"),
        ({"text": "a", "format": "aac"}, 422, "invalid_request", "format"),
        ({"text": "a", "speed": 9}, 422, "invalid_request", "speed"),
        ({"text": "a", "speed": float("nan")}, 422, "invalid_request", ""),
        ({"text": "a", "speed": "1.0"}, 422, "invalid_request", "speed"),
        ({"text": "a", "speed": True}, 422, "invalid_request", "speed"),
        ({"text": "a", "watermark": 0}, 422, "invalid_request", "watermark"),
        ({"text": "a", "watermark": "true"}, 422, "invalid_request", "watermark"),
        ({"text": "a", "language": "xx"}, 422, "invalid_request", "language"),
        ({"text": "a", "path": "/etc/passwd"}, 422, "invalid_request", "path"),
        ({"text": "a", "name": "n" * 101}, 422, "invalid_request", "name"),
        ({"text": "a", **dict.fromkeys(map(str, range(9_999)), 1)}, 422, "invalid_request", "keys"),
        ({"text": "* * *"}, 422, "empty_text", "Nothing in the whole text"),
        ({"text": "\x00\x07"}, 422, "empty_text", "Nothing in the whole text"),
        ({"text": "a" * 999_999}, 422, "text_too_long", "999999 characters"),
        ({"text": "a" * 10_000_000}, 413, "body_too_large", ""),
        ({"srt": "00:00:00,000 --> 00:00:01,000\na\n" * 50_000}, 422, "text_too_long", ""),
        ({"srt": "1\n-00:00:01,000 --> 00:00:02,000\na"}, 422, "invalid_request", "negative"),
        ({"dialogue": "A: a\nB: b"}, 422, "invalid_request", "A (1), B (2)"),
        (
            {"dialogue": "A: a", "voices": {f"S{n}": "v" for n in range(65)}},
            422,
            "invalid_request",
            "voices",
        ),
    ],
)
async def test_what_cannot_be_used_is_refused_with_its_reason(
    jobs: JobSite, body: dict[str, Any], status: int, code: str, words: str
) -> None:
    data = io.BytesIO(json.dumps(body).encode())
    headers = {"Content-Type": "application/json"}
    got = await jobs.refused(data=data, headers=headers)
    assert got[:2] == (status, code)
    assert words in got[2]
    assert jobs.queue.jobs == ()


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b"{", "application/json", 422),
        (b'{"text": "\\ud800"}', "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b"text=a", "application/x-www-form-urlencoded", 415),
        (b"a", "text/plain", 415),
        (b"a", "multipart/form-data", 422),
        (b"a", "multipart/form-data; boundary=b", 422),
        (b"--b\r\n" * 1000, "multipart/form-data; boundary=b", 422),
    ],
)
async def test_a_body_of_another_kind_is_refused(
    jobs: JobSite, data: bytes, media_type: str, status: int
) -> None:
    got = await jobs.refused(data=data, headers={"Content-Type": media_type})
    assert got[0] in {status, 400}
    assert got[0] == status or media_type.startswith("multipart")
    assert jobs.queue.jobs == ()


@pytest.mark.parametrize(
    ("fields", "file", "words"),
    [
        ({"text": "a"}, ("upload", b"a", "a.txt"), "one file in the field named file"),
        ({}, ("file", b"\xff\x00", "a.txt"), "not UTF-8"),
        ({"kind": "exe"}, ("file", b"a", "a.txt"), "kind must be"),
        ({"text": "b"}, ("file", b"a", "a.txt"), "kind must be"),
        ({"voices": "{"}, ("file", b"a", "a.txt"), "in JSON"),
        ({"voices": "[" * 10_000}, ("file", b"a", "a.txt"), "in JSON"),
        ({"format": "exe"}, ("file", b"a", "a.txt"), "format"),
        ({"file": "a"}, ("file", b"a", "a.txt"), "one file"),
        ({"text": "a"}, ("text", b"a", "a.txt"), "twice"),
    ],
)
async def test_a_form_that_cannot_be_used_is_refused(
    jobs: JobSite, fields: dict[str, str], file: tuple[str, bytes, str], words: str
) -> None:
    form = aiohttp.FormData(fields)
    form.add_field(file[0], file[1], filename=file[2])
    status, _, detail = await jobs.refused(data=form)
    assert (status, words in detail) == (422, True), detail
    assert jobs.queue.jobs == ()


async def test_each_token_of_a_relay_has_its_own_bound(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    await asyncio.to_thread(tokens.write_text, "the-token-of-another-client\n")
    await asyncio.to_thread(tokens.chmod, 0o600)
    limits: dict[str, Any] = {"max_jobs_per_token": 1, "speech_tokens_file": tokens}
    async with relaying(tmp_path, **limits) as site:

        async def post(token: str) -> tuple[int, dict[str, Any]]:
            headers = {"Authorization": f"Bearer {token}"}
            body = {"text": "Đây là câu 1."}
            async with site.session.post(
                f"{site.url}/jobs", json=body, headers=headers
            ) as response:
                return response.status, await response.json()

        assert (await post(TOKEN))[0] == 202
        status, problem = await post(TOKEN)
        assert (status, problem["code"]) == (429, "job_quota")
        status, job = await post("the-token-of-another-client")
        assert status == 202
        assert len(job["owner"]) == 16
        assert (await post("the-token-of-another-client"))[0] == 429
