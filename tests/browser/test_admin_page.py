"""The admin page as a whole: accessible, in both languages and all widths, with the keyboard."""

from __future__ import annotations

import pytest
from admin_visit import PAGE, READY, connect, log_in_as_admin
from page_visit import Visit, visiting
from page_windows import each_window
from playwright.async_api import Browser, Route, expect
from relay_site import RelaySite
from voice_clips import clip

PARTS = (
    *("source", "connection", "speed", "events", "account"),
    *("notebook", "voices", "dictionary", "cache"),
)
"""Parts of the page, in the order of its contents."""
OUTCOMES = {
    "#log-out": "#log-out-outcome",
    "[data-mode=remote]": "#mode-outcome",
    "[data-backend=local] [data-action=load]": "[data-backend=local] .outcome",
    "#connect-form button[type=submit]": "#connection-outcome",
    "#password-form button[type=submit]": "#account-outcome",
    "#notebook-form button[type=submit]": "#notebook-outcome",
    "#usable summary": "#voices-outcome",
    "#dictionary-form button[type=submit]": "#dictionary-outcome",
    "#cache-enabled": "#cache-switch-outcome",
    "#cache-form button[type=submit]": "#cache-outcome",
}
"""Where an error of a control is shown."""


@pytest.mark.parametrize("language", ["vi-VN", "en-US"])
async def test_every_part_is_accessible_and_fits_the_window(
    browser: Browser, site: RelaySite, server: str, language: str
) -> None:
    site.administration.voices.add("Bà Ngoại", clip())
    async with visiting(browser, site.url, language=language) as visit:
        await log_in_as_admin(visit, site)
        await connect(visit.page, server)
        await visit.page.wait_for_selector(READY)
        await visit.page.wait_for_selector("#session-reminder", state="attached")
        await visit.page.click("[data-backend=local] [data-action=test]")
        await visit.page.wait_for_selector("[data-backend=local] .outcome.done")
        for part in await visit.page.query_selector_all("details:not([open]) > summary"):
            await part.click()
        await visit.page.wait_for_selector("#usable-voices li")
        async for window in each_window(visit.page):
            assert await visit.violations() == [], window
            assert await visit.overflow() <= 0, window


async def test_the_language_is_switched_and_kept(visit: Visit) -> None:
    page = visit.page
    await page.fill("#voice-transcript", "typed before")
    assert set(visit.languages) == {"en"}
    visit.languages.clear()
    await page.select_option("#language", "vi")
    await expect(page.locator("#source-heading")).to_have_text("Nguồn giọng")
    assert await page.get_attribute("html", "lang") == "vi"
    assert await page.title() == "VieNeu Relay: quản trị"
    assert await page.input_value("#voice-transcript") == "typed before"
    await page.wait_for_selector("[data-event]:has-text('Sẵn sàng')")
    await page.reload()
    await page.wait_for_selector(PAGE)
    await expect(page.locator("#source-heading")).to_have_text("Nguồn giọng")
    assert set(visit.languages) == {"vi"}
    await page.click("[href='../']")
    await expect(page.locator("#login-title")).to_have_text("Đăng nhập")
    assert page.url == f"{visit.origin}/"


async def test_the_keyboard_reaches_the_content_and_every_control(visit: Visit) -> None:
    page = visit.page
    await page.reload()
    await page.wait_for_selector(PAGE)
    await page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(
            "document.activeElement.id || document.activeElement.dataset.mode"
            " || document.activeElement.dataset.action || document.activeElement.tagName"
        )
        reached.append(focused)
    for control in ("language", "log-out", "local", "remote", "load", "endpoint-url", "voice-file"):
        assert control in reached, reached
    for part in ("main", *PARTS):
        await page.press(f"[href='#{part}']", "Enter")
        assert await page.evaluate("location.hash") == f"#{part}"
        await expect(page.locator(f"#{part} h2:visible").first).to_be_in_viewport()


async def test_a_mistake_in_the_settings_file_is_shown_until_it_is_mended(
    visit: Visit, site: RelaySite
) -> None:
    right = site.config.read_text("utf-8")
    site.config.write_text(right + "backend_mode: sideways\n", "utf-8")
    said = await visit.text("#settings-notes")
    assert "is not used" in said
    assert "sideways" in said
    assert await visit.violations() == []
    site.config.write_text(right, "utf-8")
    await visit.page.wait_for_selector("#settings-notes", state="hidden")


async def test_a_relay_that_is_gone_is_named_and_nothing_typed_is_lost(
    visit: Visit, site: RelaySite
) -> None:
    page = visit.page
    await page.fill("#endpoint-url", "http://typed.example")
    site.server.stop()
    await site.task
    said = await visit.text("#status-outcome.problem")
    assert "The relay does not answer" in said
    await page.fill("#new-password", "một mật khẩu khác")
    await page.fill("#announcements", "Cửa chính đang mở.")
    for control, outcome in OUTCOMES.items():
        await page.click(control)
        assert "does not answer" in await visit.text(f"{outcome}.problem")
    assert await page.input_value("#announcements") == "Cửa chính đang mở."
    assert await page.input_value("#endpoint-url") == "http://typed.example"


@pytest.mark.parametrize(
    ("status", "said"), [(503, "does not answer"), (500, "cannot be read (status 500)")]
)
async def test_a_page_of_a_proxy_is_no_answer(visit: Visit, status: int, said: str) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, body="<h1>nginx</h1>", content_type="text/html")

    await visit.page.route("**/relay/api/history", refuse)
    await visit.page.reload()
    assert said in await visit.text("#chart-outcome.problem")


async def test_a_chart_that_cannot_be_loaded_says_so_in_its_place(visit: Visit) -> None:
    await visit.page.route("**/relay/api/history", lambda route: route.abort())
    await visit.page.reload()
    assert "does not answer" in await visit.text("#chart-outcome.problem")
    assert await visit.page.inner_html("#charts") == ""
    assert await visit.page.inner_html("#status-outcome") == "", "the rest of the page works"
