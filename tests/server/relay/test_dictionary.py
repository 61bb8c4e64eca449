"""The user's dictionary over the admin API: saved, applied at once, and wrong lines named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from relay_site import TONES, RelaySite, relaying
from remote_site import PATIENT
from server_site import TOKEN
from tone_engine import expected, heard, same

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.watched_dictionary_file import FILE_NAME, MAX_DICTIONARY_BYTES

WRITTEN = "# Nhà\nmục một = câu 11\nsai\n"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


async def save(site: RelaySite, text: str, status: int = 200, **fields: str) -> Any:
    version = (await site.call("GET", "/dictionary"))["version"]
    body = {"text": text, "version": version, **fields}
    return await site.call("PUT", "/dictionary", status, json=body)


async def says(site: RelaySite, text: str, sentence: str) -> bool:
    """Whether a client of the relay hears a text as this sentence."""
    async with RemoteBackend(site.url, TOKEN, timeouts=PATIENT) as client:
        speech = await synthesize(client, SynthesisRequest(text=text))
    return same(heard(speech.pcm, speech.sample_rate_hz), [expected(sentence)])


async def test_a_dictionary_is_made_named_in_the_settings_and_heard(site: RelaySite) -> None:
    empty = await site.call("GET", "/dictionary")
    assert (empty["text"], empty["entries"], empty["bad_lines"]) == ("", 0, [])
    assert await says(site, "Đây là mục một.", "Đây là mục một.")

    saved = await save(site, WRITTEN)
    assert saved["entries"] == 1
    assert [bad["line"] for bad in saved["bad_lines"]] == [3]
    path = site.config.with_name(FILE_NAME)
    assert saved["path"] == str(path)
    assert path.read_text("utf-8") == WRITTEN
    assert path.stat().st_mode & 0o777 == 0o600
    assert f'dictionary: "{path}"' in site.config.read_text("utf-8")
    assert await says(site, "Đây là mục một.", "Đây là câu 11.")

    await save(site, "mục một = câu 12\n")
    assert await says(site, "Đây là mục một.", "Đây là câu 12.")


async def test_a_wrong_line_is_named_in_the_language_of_the_reader(site: RelaySite) -> None:
    await save(site, WRITTEN)
    for language, expected_reason in (
        ("en", "The line has no ="),
        ("vi", "Dòng này không có dấu ="),
    ):
        answer = await site.call("GET", "/dictionary", headers={"Accept-Language": language})
        assert answer["bad_lines"][0]["reason"].startswith(expected_reason)


async def test_an_editor_is_followed_and_its_change_is_not_overwritten(site: RelaySite) -> None:
    saved = await save(site, WRITTEN)
    path = site.config.with_name(FILE_NAME)
    path.write_text("mục một = câu 13\n", "utf-8")
    while not await says(site, "Đây là mục một.", "Đây là câu 13."):  # noqa: ASYNC110 - as a client
        await asyncio.sleep(0.05)
    problem = await save(site, "mục một = câu 14\n", status=422, version=saved["version"])
    assert "changed elsewhere" in problem["detail"]
    assert path.read_text("utf-8") == "mục một = câu 13\n"


async def test_of_admins_who_save_at_once_one_is_heard_and_the_others_told(
    site: RelaySite,
) -> None:
    version = (await site.call("GET", "/dictionary"))["version"]

    async def status_of(number: int) -> int:
        body = {"text": f"A{number} = một\n", "version": version}
        async with site.api("PUT", "/dictionary", json=body) as response:
            return response.status

    assert sorted(await asyncio.gather(*map(status_of, range(6)))) == [200] + [422] * 5


async def test_a_file_of_the_settings_is_used_and_its_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "từ điển.txt"
    path.write_text("mục một = câu 11\n", "utf-8")
    path.chmod(0o640)
    async with relaying(tmp_path, f"{TONES}text:\n  dictionary: {path}\n") as site:
        assert (await site.call("GET", "/dictionary"))["text"] == "mục một = câu 11\n"
        assert await says(site, "Đây là mục một.", "Đây là câu 11.")
        await save(site, "")
        assert await says(site, "Đây là mục một.", "Đây là mục một.")
    assert path.read_text("utf-8") == ""
    assert path.stat().st_mode & 0o777 == 0o640


async def test_a_file_that_is_no_text_is_named_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(b"\xff\xfe")
    async with relaying(tmp_path, f"{TONES}text:\n  dictionary: {path}\n") as site:
        answer = await site.call("GET", "/dictionary")
        assert "byte 1 is not UTF-8" in answer["problem"]["detail"]
        problem = await save(site, "a = b\n", status=422)
        assert "byte 1 is not UTF-8" in problem["detail"]
        assert await says(site, "Đây là câu 5.", "Đây là câu 5.")
    assert path.read_bytes() == b"\xff\xfe"


LONGEST = MAX_DICTIONARY_BYTES


@pytest.mark.parametrize("text", ["a" * (LONGEST + 1), "ế" * 1_000 + "a" * (LONGEST - 2_000)])
async def test_a_text_that_is_too_large_is_refused(site: RelaySite, text: str) -> None:
    await save(site, text, status=422)
    assert not site.config.with_name(FILE_NAME).exists()


async def test_only_the_admin_reads_and_writes_it(site: RelaySite) -> None:
    for method in ("GET", "PUT"):
        await site.call(method, "/dictionary", 401, headers={"Authorization": ""})
