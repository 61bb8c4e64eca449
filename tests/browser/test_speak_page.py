"""The Speak page in a browser: what is heard, and what is said of errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from pydantic import SecretStr
from relay_process import relay_process
from relay_site import CLONED_HZ, CLONING, TONES, RelaySite, relaying
from server_site import TOKEN
from speak_page import (
    SENTENCES,
    SLOW,
    decoded,
    speak,
    speaking_page,
    tones_heard,
    until_cancelled,
)
from tone_engine import Heard, expected, heard, same
from voice_clips import wav_file
from waiting import until

from vieneu_core.backends.base import BackendState
from vieneu_core.router import Mode

PLAYED_AGAIN = """new Promise((resolve) => {
    const player = document.getElementById("again");
    const check = () => player.currentTime > 0 && resolve(player.duration);
    player.addEventListener("timeupdate", check);
    check();
})"""
"""Resolves to its length once the player of the result has played something."""
SEEN_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


async def test_every_sentence_is_heard_whole_and_says_who_spoke_it(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await speak(shown)
        status = await shown.until_text("#speak-status", "Finished")
        assert status.startswith("Finished: 3 sentences")
        assert same(await tones_heard(shown), [expected(text) for text in SENTENCES])
        listed = [
            " ".join(text.split())
            for text in await shown.page.locator("#sentences li").all_inner_texts()
        ]
        who = "heard · local · tone · voice vi-low"
        assert listed == [f"{text} {who}" for text in SENTENCES]


async def test_voice_speed_and_language_are_those_that_were_chosen(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.select_option("#voice", "vi-high")
        await shown.page.fill("#speed", "1.5")
        assert await shown.text("#speed-value") == "1.5×"
        await speak(shown)
        await shown.until_text("#speak-status", "Finished")
        assert "voice vi-high" in await shown.text("#sentences li:first-child")
        assert same(await tones_heard(shown), [expected(text, speed=1.5) for text in SENTENCES])
        await shown.page.select_option("#language", "en")
        await speak(shown)
        await shown.until_text("#sentences li:first-child", "voice en-low")


async def test_sound_starts_before_the_rest_has_come(tmp_path: Path) -> None:
    async with relaying(tmp_path, SLOW) as site, speaking_page(site.url) as shown:
        await speak(shown, " ".join(f"Đây là câu {n}." for n in range(40)))
        await shown.page.locator("#sentences li[data-state=playing]").first.wait_for()
        assert await shown.page.locator("#sentences li[data-state=waiting]").count() > 0
        await shown.page.click("#speak-stop")


async def test_stop_silences_the_page_and_stops_the_backend(tmp_path: Path) -> None:
    async with relaying(tmp_path, SLOW) as site, speaking_page(site.url) as shown:
        await speak(shown, " ".join(f"Đây là câu {n}." for n in range(80)))
        await shown.page.locator("#sentences li[data-state=playing]").first.wait_for()
        await shown.page.click("#speak-stop")
        assert "Stopped after" in await shown.text("#speak-status")
        n_pieces = len(await shown.pieces())
        await until_cancelled(site)
        assert len(await shown.pieces()) == n_pieces
        await expect(shown.page.locator("#speak-start")).to_be_enabled()
        await expect(shown.page.locator("#speak-stop")).to_be_disabled()
        assert await shown.page.evaluate("ear.contexts.every((c) => c.state === 'closed')")


async def test_a_closed_page_stops_the_backend(tmp_path: Path) -> None:
    async with relaying(tmp_path, SLOW) as site, speaking_page(site.url) as shown:
        await speak(shown, " ".join(f"Đây là câu {n}." for n in range(80)))
        await shown.page.locator("#sentences li[data-state=playing]").first.wait_for()
        await shown.page.close()
        await until_cancelled(site)


async def test_what_was_heard_is_downloaded_and_played_again(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await speak(shown)
        await shown.until_text("#speak-status", "Finished")
        for fmt in ("mp3", "wav", "ogg"):
            async with shown.page.expect_download() as waiting:
                await shown.page.click(f"[data-format={fmt}]")
            download = await waiting.value
            assert download.suggested_filename == f"vieneu.{fmt}"
            content = await asyncio.to_thread((await download.path()).read_bytes)
            assert same(heard(decoded(content), 24_000), [expected(text) for text in SENTENCES])
        n_heard = sum(len(piece.pcm) for piece in await shown.pieces())
        await shown.page.press("#again", "Space")
        assert await shown.page.evaluate(PLAYED_AGAIN) == pytest.approx(n_heard / 48_000, abs=0.01)


async def test_two_pages_at_once_hear_each_its_own_text(tmp_path: Path) -> None:
    others = [f"Đây là câu {n}." for n in range(50, 80)]
    async with (
        relaying(tmp_path, SLOW) as site,
        speaking_page(site.url) as first,
        speaking_page(site.url, language="vi-VN") as second,
    ):
        await speak(second, " ".join(others))
        await speak(first)
        await second.page.locator("#sentences li[data-state=playing]").first.wait_for()
        await second.page.click("#speak-stop")
        await first.until_text("#speak-status", "Finished: 3 sentences")
        assert same(await tones_heard(first), [expected(text) for text in SENTENCES])
        left = [tone.hz for tone in await tones_heard(second)]
        assert 0 < len(left) < len(others)
        assert left == [expected(text).hz for text in others[: len(left)]]


@pytest.mark.parametrize(
    ("language", "detail"), [("en-US", "no letter or digit"), ("vi-VN", "không có")]
)
async def test_an_error_is_shown_and_the_text_is_kept(
    site: RelaySite, language: str, detail: str
) -> None:
    async with speaking_page(site.url, language=language) as shown:
        await speak(shown, "?! …")
        shown_error = await shown.until_text("#speak-error", detail)
        if language == "vi-VN":
            assert "text" not in shown_error
        assert await shown.page.input_value("#text") == "?! …"
        await expect(shown.page.locator("#speak-start")).to_be_enabled()
        assert await shown.violations() == []
        await speak(shown)
        await shown.page.locator("#speak-error").wait_for(state="hidden")
        await shown.page.locator("#result").wait_for()


async def test_a_failure_midway_keeps_what_was_heard_and_can_be_continued(tmp_path: Path) -> None:
    async with relaying(tmp_path, TONES) as site, speaking_page(site.url) as shown:
        await speak(shown, "Đây là câu 3. Còn câu này refuse. Đây là câu 17.")
        await shown.until_text("#speak-error", "No tone for this.")
        assert await shown.text("#speak-status") == (
            "1 of 3 sentences received. Press Continue to speak the rest."
        )
        await expect(shown.page.locator("#result")).to_be_visible()
        await shown.page.locator("#sentences li[data-state=heard]").first.wait_for()
        assert same((await tones_heard(shown))[:1], [expected("Đây là câu 3.")])
        assert await shown.violations() == []
        now = await site.call("GET", "/dictionary")
        mended = {"text": "refuse = từ chối\n", "version": now["version"]}  # which it can speak
        await site.call("PUT", "/dictionary", json=mended)
        await shown.page.click("#speak-continue")
        await shown.until_text("#speak-status", "Finished: 3 sentences")
        rest = [expected(text) for text in ("Còn câu này từ chối.", "Đây là câu 17.")]
        assert same((await tones_heard(shown))[-2:], rest)


async def test_a_text_that_is_too_long_names_the_way_out(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.fill("#text", "a" * 5_000)
        assert "use Long text" in await shown.text("#text-length")
        await shown.page.click("#speak-start")
        await shown.until_text("#speak-error", "5000 characters")
        assert len(await shown.page.input_value("#text")) == 5_000


async def test_a_server_that_is_killed_while_the_page_plays_is_heard_whole(tmp_path: Path) -> None:
    said = [f"Đây là câu số {n}, và đây là câu {n}." for n in range(8)]
    async with relay_process(tmp_path, SLOW) as relay, speaking_page(relay.url) as shown:
        await speak(shown, " ".join(said))
        await shown.until_text("#speak-status", "Received 2 of 8")
        await relay.kill()
        lost = await shown.until_text("#speak-status", "Connection lost")
        assert "still missing:" in lost
        assert await shown.page.locator("#sentences li[data-state=missing]").count() > 0
        await expect(shown.page.locator("#result")).to_be_visible()
        await relay.start()
        await shown.until_text("#speak-status", "Finished: 8 sentences")
        whole = [expected(text) for text in said]
        got = await tones_heard(shown)
        # Of the sentence that was cut off, the part that was already heard comes twice.
        assert len(got) in {8, 9}
        assert same([tone for tone in got if is_whole(tone, whole)], whole)
        async with shown.page.expect_download() as waiting:
            await shown.page.click("#result button[data-format=wav]")
        content = await asyncio.to_thread((await (await waiting.value).path()).read_bytes)
        assert same(heard(decoded(content), 24_000), whole)


async def test_the_voice_of_a_recording_needs_transcript_and_consent(tmp_path: Path) -> None:
    async with relaying(tmp_path, CLONING) as site, speaking_page(site.url) as shown:
        await shown.page.click("#reference summary")
        clip = {"name": "bà.wav", "mimeType": "audio/wav", "buffer": wav_file()}
        await shown.page.set_input_files("#reference-file", clip)  # type: ignore[arg-type]
        await expect(shown.page.locator("#voice")).to_be_disabled()
        await speak(shown)
        await shown.until_text("#speak-error", "Enter what is said")
        await shown.page.fill("#transcript", "Xin chào các bạn, tôi là Lan.")
        await speak(shown)
        await shown.until_text("#speak-error", "Confirm that the person agrees")
        await shown.page.check("#consent")
        assert await shown.violations() == []
        assert await shown.pieces() == [], "nothing is spoken without consent"
        await speak(shown)
        await shown.until_text("#speak-status", "Finished")
        recorded = [expected(text, above_hz=CLONED_HZ) for text in SENTENCES]
        assert same(await tones_heard(shown), recorded)
        await shown.page.click("#reference-remove")
        await expect(shown.page.locator("#voice")).to_be_enabled()
        await speak(shown, SENTENCES[0])
        await shown.until_text("#speak-status", "Finished: 1 sentence")
        assert same((await tones_heard(shown))[3:], [expected(SENTENCES[0])])


async def test_other_voices_are_offered_without_a_reload(site: RelaySite, server: str) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.fill("#text", "Đây là câu 3.")
        await shown.page.select_option("#voice", "vi-high")
        option = shown.page.locator("#voice option[value=vi-high]")
        await site.administration.connect(server, SecretStr(TOKEN))
        await until(lambda: is_ready(site, Mode.REMOTE))
        await site.administration.set_mode(Mode.REMOTE)
        await shown.page.evaluate(SEEN_AGAIN)
        await option.wait_for(state="detached")
        assert await shown.page.input_value("#voice") == ""
        await site.administration.set_mode(Mode.LOCAL)
        await shown.page.evaluate(SEEN_AGAIN)
        await option.wait_for(state="attached")
        assert await shown.page.input_value("#voice") == "vi-high"
        assert await shown.page.input_value("#text") == "Đây là câu 3."


def is_ready(site: RelaySite, mode: Mode) -> bool:
    backend = site.administration.router.status().backend(mode.value)
    return backend is not None and backend.state is BackendState.READY


def is_whole(tone: Heard, wanted: list[Heard]) -> bool:
    return any(tone.hz == want.hz and abs(tone.seconds - want.seconds) <= 0.04 for want in wanted)
