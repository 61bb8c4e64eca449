"""Long jobs in a browser: from a text, subtitles or a dialogue to a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from job_rig import names_in
from old_encodings import OLD
from page_browser import BrowserPage
from playwright.async_api import Download, expect
from relay_site import CLONED_HZ, CLONING, RelaySite, relaying
from speak_page import (
    SENTENCES,
    SLOW,
    decoded,
    speaking_page,
    until_cancelled,
)
from tone_engine import expected, heard, same
from voice_clips import clip, wav_file


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


async def test_a_long_text_becomes_a_job_that_is_downloaded_and_removed(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.click("#to-jobs")
        await shown.page.fill("#job-text", " ".join(SENTENCES))
        await shown.page.fill("#job-name", "Truyện")
        await shown.page.click("#job-form button[type=submit]")
        await shown.until_text("#job-status", "is done")
        assert "Done: 3 of 3 sentences" in await shown.text("#job-list")
        async with shown.page.expect_download() as waiting:
            await shown.page.get_by_role("link", name="Download MP3: Truyện").click()
        content = await content_of(await waiting.value)
        assert same(heard(decoded(content), 24_000), [expected(text) for text in SENTENCES])
        async with shown.page.expect_download() as waiting:
            await shown.page.get_by_role("link", name="Download .srt: Truyện").click()
        assert SENTENCES[1] in (await content_of(await waiting.value)).decode()
        assert await shown.violations() == []
        await shown.page.get_by_role("button", name="Remove: Truyện").click()
        await shown.page.locator("#no-jobs").wait_for()
        assert await jobs(shown) == []


async def content_of(download: Download) -> bytes:
    return await asyncio.to_thread((await download.path()).read_bytes)


async def jobs(shown: BrowserPage) -> list[dict[str, Any]]:
    """The jobs of the relay, as it states them."""
    answer = await shown.page.evaluate("fetch('speak/api/jobs').then((a) => a.json())")
    return list(answer["jobs"])


async def test_the_options_of_a_job_are_used(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        page = shown.page
        await page.click("#to-jobs")
        await page.check("[name=kind][value=srt]")
        await page.fill("#job-text", " ".join(SENTENCES))
        await page.click("#job-form button[type=submit]")
        await shown.until_text("#job-error", "subtitle")
        await page.check("[name=kind][value=text]")
        await page.select_option("#job-language", "en")
        offered = await page.locator("#job-voice option").all_inner_texts()
        assert offered[1:] == ["Low"]
        await page.select_option("#job-language", "vi")
        await page.select_option("#job-voice", "vi-high")
        await page.fill("#job-speed", "1.5")
        assert await shown.text("#job-speed-value") == "1.5×"
        await page.select_option("#job-format", "ogg")
        await page.select_option("#job-fallback", "accept")
        await page.fill("#job-name", "Truyện")
        await page.click("#job-form button[type=submit]")
        await shown.until_text("#job-status", "is done")
        assert await page.is_hidden("#job-error")
        spec = (await jobs(shown))[0]["spec"]
        assert (spec["kind"], spec["language"], spec["voice"]) == ("text", "vi", "vi-high")
        assert (spec["format"], spec["fallback"]) == ("ogg", "accept")
        async with shown.page.expect_download() as waiting:
            await shown.page.get_by_role("link", name="Download OGG: Truyện").click()
        content = await content_of(await waiting.value)
        assert content.startswith(b"OggS")
        spoken = [expected(text, speed=1.5) for text in SENTENCES]
        assert same(heard(decoded(content), 24_000), spoken)


async def test_a_job_is_cancelled_and_stops_the_backend(tmp_path: Path) -> None:
    async with relaying(tmp_path, SLOW) as site, speaking_page(site.url) as shown:
        await shown.page.click("#to-jobs")
        await shown.page.fill("#job-text", " ".join(f"Đây là câu {n}." for n in range(200)))
        await shown.page.click("#job-form button[type=submit]")
        await expect(shown.page.locator("#job-list")).to_contain_text(re.compile(r"[1-9] of 200"))
        await shown.page.get_by_role("button", name="Cancel").click()
        await shown.until_text("#job-list", "Cancelled")
        await until_cancelled(site)
        (job,) = await jobs(shown)
        assert job["state"] == "cancelled"
        assert names_in(tmp_path / "jobs" / job["id"]) == ["job.json"]


async def test_a_job_that_failed_says_why_and_is_tried_again(tmp_path: Path) -> None:
    async with relaying(tmp_path, CLONING) as site, speaking_page(site.url) as shown:
        await shown.page.click("#to-jobs")
        await shown.page.fill("#job-text", SENTENCES[0])
        gone = "document.getElementById('job-voice').add(new Option('Bà', 'ba', true, true))"
        await shown.page.evaluate(gone)  # as one that was removed since it was listed
        await shown.page.click("#job-form button[type=submit]")
        await shown.until_text("#job-status", "has failed")
        assert "'ba'" in await shown.text("#job-list .error")
        assert await shown.violations() == []
        site.administration.voices.add("Bà", clip())
        await shown.page.get_by_role("button", name="Try again").click()
        await shown.until_text("#job-status", "is done")
        await shown.page.locator("#job-list .error").wait_for(state="hidden")


async def test_a_dialogue_has_a_voice_for_each_speaker(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.click("#to-jobs")
        script = {
            "name": "kịch.txt",
            "mimeType": "text/plain",
            "buffer": "Lan: Câu 3.\nMinh: Câu 17.\nBà: Câu 42.\nÔng: Câu 5.\n".encode("utf-16"),
        }
        await shown.page.check("[name=kind][value=dialogue]")
        await shown.page.set_input_files("#job-file", script)  # type: ignore[arg-type]
        await shown.page.get_by_label("Minh", exact=True).select_option("en-low")
        await shown.page.select_option("#job-format", "wav")
        await shown.page.click("#job-form button[type=submit]")
        await shown.until_text("#job-status", "is done")
        job = (await jobs(shown))[0]
        vietnamese = {"Lan": "vi-low", "Bà": "vi-low", "Ông": "vi-high"}
        assert job["spec"]["voices"] == {**vietnamese, "Minh": "en-low"}
        assert job["spec"]["name"] == "kịch"
        await shown.page.fill("#job-text", "Không ai nói câu này.")
        await shown.page.click("#job-form button[type=submit]")
        await shown.until_text("#job-error", "names no speaker")
        assert await shown.page.input_value("#job-text") == "Không ai nói câu này."


async def test_subtitles_are_read_from_a_file(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.click("#to-jobs")
        srt = "1\n00:00:01,000 --> 00:00:03,000\nĐây là câu 3.\n".encode()
        file = {"name": "phim.srt", "mimeType": "application/x-subrip", "buffer": srt}
        await shown.page.set_input_files("#job-file", file)  # type: ignore[arg-type]
        await expect(shown.page.locator("[value=srt]")).to_be_checked()
        await shown.page.click("#job-form button[type=submit]")
        await shown.until_text("#job-status", "is done")
        broken = {"name": "x.txt", "mimeType": "text/plain", "buffer": b"\xff\x80\x81"}
        await shown.page.set_input_files("#job-file", broken)  # type: ignore[arg-type]
        await shown.until_text("#job-file-error", "The file is not UTF-8: byte 1 of line 1.")
        await shown.page.select_option("#page-language", "vi")
        await shown.until_text("#job-file-error", "Tệp không phải UTF-8: byte thứ 1 của dòng 1.")
        assert await shown.page.input_value("#job-text") == srt.decode(), "what was there stays"
        assert await shown.page.input_value("#job-file") == "", "it can be chosen again"
        large = {"name": "x.txt", "mimeType": "text/plain", "buffer": bytes((2 << 20) + 1)}
        await shown.page.set_input_files("#job-file", large)  # type: ignore[arg-type]
        await shown.until_text("#job-file-error", "2 MB")


@pytest.mark.parametrize("suffix", ["txt", "srt"])
async def test_a_file_in_an_old_encoding_is_read(
    site: RelaySite, tmp_path: Path, suffix: str
) -> None:
    line = "Máy giặt đã giặt xong, hãy phơi quần áo."
    text = f"1\n00:00:01,000 --> 00:00:03,000\n{line}\n" if suffix == "srt" else f"{line}\n"
    async with speaking_page(site.url, language="vi-VN") as shown:
        await shown.page.click("#to-jobs")
        for name, content in {
            **{name: write(text) for name, write in OLD.items()},
            **{name: text.encode(name) for name in ("utf-16", "utf-8-sig")},
        }.items():
            path = tmp_path / f"{name}.{suffix}"
            path.write_bytes(content)
            await shown.page.fill("#job-text", "")
            await shown.page.set_input_files("#job-file", path)
            await expect(shown.page.locator("#job-text")).to_have_value(text)
        assert await shown.page.is_hidden("#job-file-error")
        assert await shown.violations() == []
        await shown.page.click("#job-form button[type=submit]")
        await shown.until_text("#job-status", "đã xong")
        (job,) = await jobs(shown)
        assert (job["spec"]["kind"], job["n_sentences"]) == (suffix.replace("txt", "text"), 1)


async def test_a_job_has_the_voice_of_a_recording(tmp_path: Path) -> None:
    async with relaying(tmp_path, CLONING) as site, speaking_page(site.url) as shown:
        page = shown.page
        await page.click("#to-jobs")
        await page.click("#job-reference summary")
        await page.fill("#job-transcript", "Xin chào các bạn, tôi là Lan.")
        await page.fill("#job-text", SENTENCES[0])
        await page.click("#job-form button[type=submit]")
        await shown.until_text("#job-error", "Choose a recording")
        recording = {"name": "bà.wav", "mimeType": "audio/wav", "buffer": wav_file()}
        await page.set_input_files("#job-reference-file", recording)  # type: ignore[arg-type]
        await expect(page.locator("#job-voice")).to_be_disabled()
        await page.click("#job-form button[type=submit]")
        await shown.until_text("#job-error", "Confirm that the person agrees")
        await page.check("#job-consent")
        await page.check("[name=kind][value=dialogue]")
        await page.fill("#job-text", "Lan: Đây là câu 3.\nMinh: Đây là câu 17.")
        await page.get_by_label("Lan", exact=True).select_option(label="Voice of the recording")
        await page.get_by_label("Minh", exact=True).select_option("vi-low")
        assert await shown.violations() == []
        await page.click("#job-form button[type=submit]")
        await shown.until_text("#job-status", "is done")
        (job,) = await jobs(shown)
        assert job["spec"]["voices"] == {"Minh": "vi-low"}
        lan = expected("Đây là câu 3.", above_hz=CLONED_HZ)
        async with shown.page.expect_download() as waiting:
            await shown.page.get_by_role("link", name="Download MP3").click()
        content = await content_of(await waiting.value)
        assert same(heard(decoded(content), 24_000), [lan, expected("Đây là câu 17.")])
        await page.click("#job-reference-remove")
        await expect(page.locator("#job-voice")).to_be_enabled()
        assert await page.input_value("#job-transcript") == ""
        options = await page.get_by_label("Lan", exact=True).locator("option").all_inner_texts()
        assert "Voice of the recording" not in options
        bad = {"name": "x.wav", "mimeType": "audio/wav", "buffer": b"no sound"}
        await page.set_input_files("#job-reference-file", bad)  # type: ignore[arg-type]
        await page.fill("#job-transcript", "Xin chào.")
        await page.check("#job-consent")
        await page.click("#job-form button[type=submit]")
        await shown.until_text("#job-error", "cannot be read as audio")


async def test_a_recording_is_not_offered_where_no_voice_can_be_cloned(site: RelaySite) -> None:
    async with speaking_page(site.url, language="vi-VN") as shown:
        await shown.page.click("#to-jobs")
        await shown.page.click("#job-reference summary")
        await shown.until_text("#job-reference-hint", "không hỗ trợ bản ghi âm")
        await expect(shown.page.locator("#job-reference-file")).to_be_disabled()
