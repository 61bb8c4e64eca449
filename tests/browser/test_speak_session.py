"""The Speak page and its relay: a session, log-out, and a relay that is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from page_browser import browsing
from playwright.async_api import Route, expect
from relay_site import RelaySite, relaying
from speak_page import log_in, speaking_page


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


async def test_a_wrong_token_is_refused_in_the_language_of_the_page(site: RelaySite) -> None:
    for language, message in (("en-US", "token is wrong"), ("vi-VN", "Mã")):
        async with browsing(site.url, language=language) as shown:
            await shown.page.fill("#token", "wrong")
            await shown.page.click("#login-form button[type=submit]")
            await shown.until_text("#login-error", message)
            assert await shown.violations() == []
            assert await shown.page.locator("#speak").is_hidden()
            await log_in(shown)


async def test_a_session_that_ended_asks_for_the_token_until_log_out(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.fill("#text", "Đây là câu 3.")
        await shown.page.context.clear_cookies()
        await shown.page.click("#speak-start")
        await shown.page.locator("#login").wait_for()
        await log_in(shown)
        assert await shown.page.input_value("#text") == "Đây là câu 3."
        await shown.page.click("#log-out")
        await shown.page.locator("#login").wait_for()
        assert await shown.page.evaluate("fetch('speak/api/page').then((a) => a.status)") == 401
        assert await shown.page.context.cookies() == []
        for part in ("#speak", "#to-speak", "#to-jobs", "#log-out"):
            assert not await shown.page.is_visible(part)
        await shown.page.reload()
        await shown.page.locator("#login").wait_for()


async def test_a_browser_without_names_of_languages_shows_their_codes(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.add_init_script("delete Intl.DisplayNames")
        await shown.page.reload()
        await shown.page.locator("#voice option:nth-child(2)").wait_for(state="attached")
        names = await shown.page.locator("#language option").all_inner_texts()
        assert "Vi" in names


async def test_a_relay_that_is_gone_is_named_where_something_was_asked(site: RelaySite) -> None:
    async with speaking_page(site.url) as shown:
        await shown.page.fill("#text", "Đây là câu 3.")
        await shown.page.click("#to-jobs")
        site.server.stop()
        await site.task
        await shown.page.click("#log-out")
        await shown.until_text("#job-error", "The relay does not answer")
        await shown.page.click("#to-speak")
        assert await shown.page.input_value("#text") == "Đây là câu 3."
        await shown.page.click("#speak-start")
        await shown.until_text("#speak-error", "The relay does not answer")
        await expect(shown.page.locator("#speak-start")).to_be_enabled()


@pytest.mark.parametrize(
    ("status", "said", "in_vietnamese"),
    [
        (502, "The relay does not answer.", "Relay không trả lời."),
        (500, "The answer cannot be read (status 500).", "Không đọc được phản hồi (mã 500)."),
    ],
)
async def test_a_page_of_a_proxy_is_no_answer(
    site: RelaySite, status: int, said: str, in_vietnamese: str
) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, body="<h1>nginx</h1>", content_type="text/html")

    async with speaking_page(site.url) as shown:
        await shown.page.route("**/speak/api/sentences", refuse)
        await shown.page.fill("#text", "Đây là câu 3.")
        await shown.page.click("#speak-start")
        await shown.until_text("#speak-error", said)
        await shown.page.select_option("#page-language", "vi")
        await shown.until_text("#speak-error", in_vietnamese)
