"""The Speak page for everybody: languages, widths, colours, keyboard and axe-core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from page_browser import BrowserPage, browsing
from page_windows import each_window
from relay_site import RelaySite, relaying
from speak_page import (
    log_in,
    speak,
    speaking_page,
    tones,
)
from tone_engine import expected, same

LANGUAGES = {"en-US": "Log in", "vi-VN": "Đăng nhập"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_part_is_accessible_and_fits(site: RelaySite, language: str) -> None:
    async with browsing(site.url, language=language) as shown:
        assert await shown.until_text("#login h1", LANGUAGES[language])
        await check_part(shown, language)
        await log_in(shown)
        await shown.page.click("#reference summary")
        await speak(shown)
        await shown.page.locator("#result").wait_for()
        await check_part(shown, language)
        await shown.page.click("#to-jobs")
        await shown.page.check("[name=kind][value=dialogue]")
        await shown.page.fill("#job-text", "Lan: Đây là câu 3.\nMinh: Đây là câu 17.")
        await shown.page.click("#job-form button[type=submit]")
        await shown.page.locator("#job-list a.button").first.wait_for()
        await check_part(shown, language)
        assert shown.origins == {site.url}
        assert shown.errors == []


async def check_part(shown: BrowserPage, language: str) -> None:
    assert await shown.page.get_attribute("html", "lang") == language[:2]
    async for window in each_window(shown.page):
        assert not await shown.scrolls_sideways(), window
        assert await shown.violations() == [], window


async def test_the_language_is_switched_and_remembered(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.fill("#text", "Đây là câu 3.")
        await shown.page.select_option("#page-language", "vi")
        await shown.until_text("#speak h1", "Đọc văn bản")
        assert await shown.page.input_value("#text") == "Đây là câu 3."
        assert await shown.page.title() == "Đọc văn bản – VieNeu Relay"
        await shown.page.reload()
        await shown.until_text("#speak h1", "Đọc văn bản")


async def test_the_page_is_used_with_the_keyboard_alone(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        keyboard = shown.page.keyboard
        await shown.page.focus("#text")
        await keyboard.type("Đây là câu 3.")
        for target in ("language", "voice", "speed", "", "speak-start"):
            await keyboard.press("Tab")
            if target:
                assert await shown.page.evaluate("document.activeElement.id") == target
        await keyboard.press("Enter")
        await shown.until_text("#speak-status", "Finished")
        assert same(await tones(shown), [expected("Đây là câu 3.")])
