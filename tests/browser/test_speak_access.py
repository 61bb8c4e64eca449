"""The Speak page for everybody: languages, widths, colours, keyboard and axe-core."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from page_browser import BrowserPage, browsing
from page_windows import each_window
from playwright.async_api import expect
from relay_site import RelaySite, relaying
from speak_page import (
    SENTENCES,
    log_in,
    speak,
    speaking_page,
    tones_heard,
)
from tone_engine import expected, same

LANGUAGES = {"en-US": "Log in", "vi-VN": "Đăng nhập"}
UNNAMED = {
    "en-US": r"Dialogue of [A-Z][a-z]+ \d{1,2}, \d{4}, \d{1,2}:\d\d\s[AP]M",
    "vi-VN": r"Hội thoại ngày \d{1,2} tháng \d{1,2}, \d{4} lúc \d\d:\d\d",
}
"""Title of a job that has no name."""


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
        assert re.fullmatch(UNNAMED[language], await shown.text("#job-list h3"))
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
        await shown.page.click("[href='relay/']")
        await shown.until_text("#login-heading", "Đăng nhập")
        assert shown.page.url == f"{site.url}/relay/"


async def test_the_page_is_used_with_the_keyboard_alone(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        keyboard = shown.page.keyboard
        await shown.page.press("[href='#main']", "Enter")
        await expect(shown.page.locator("#main")).to_be_focused()
        await keyboard.press("Tab")
        assert await shown.page.evaluate("document.activeElement.id") == "text"
        await keyboard.type("Đây là câu 3.")
        for target in ("language", "voice", "speed", "", "speak-start"):
            await keyboard.press("Tab")
            if target:
                assert await shown.page.evaluate("document.activeElement.id") == target
        await keyboard.press("Enter")
        await shown.until_text("#speak-status", "Finished")
        assert same(await tones_heard(shown), [expected("Đây là câu 3.")])
        await shown.page.press("#to-jobs", "Enter")
        # The page moves the focus once the browser has told it of the new address.
        await expect(shown.page.locator("#main")).to_be_focused()
        await shown.page.press("[href='#main']", "Enter")
        await expect(shown.page).to_have_url(re.compile("#main$"))
        assert await shown.page.is_visible("#jobs"), "the link to the contents changes no part"
        reached = [await next_control(shown) for _ in range(3)]
        await keyboard.type(" ".join(SENTENCES))
        while reached[-1] != "submit":
            reached.append(await next_control(shown))
            if reached[-1] == "job-speed":
                await keyboard.press("ArrowRight")
        assert reached == JOB_CONTROLS
        await keyboard.press("Enter")
        await shown.until_text("#job-status", "is done")
        listed = await shown.page.evaluate("fetch('speak/api/jobs').then((a) => a.json())")
        assert listed["jobs"][0]["spec"]["speed"] == 1.05
        while not (await next_control(shown)).startswith("Download MP3"):
            pass
        async with shown.page.expect_download():
            await keyboard.press("Enter")


JOB_CONTROLS = [
    *("kind", "job-file", "job-text", "summary", "job-name", "job-language", "job-voice"),
    *("job-speed", "job-format", "job-fallback", "submit"),
]


async def next_control(shown: BrowserPage) -> str:
    """Press Tab, and return a name of what has the focus."""
    await shown.page.keyboard.press("Tab")
    return str(
        await shown.page.evaluate("""(({id, name, type, ariaLabel, localName}) =>
            id || name || ariaLabel || type || localName)(document.activeElement)""")
    )
