"""The speech cache on the admin page: turned on and off, its state, and clearing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from admin_visit import log_in_as_admin
from page_visit import Visit, visiting
from playwright.async_api import Browser, Route, expect
from relay_site import RelaySite, relaying

from vieneu_core.config import load_settings


async def test_the_cache_is_cleared_and_turned_off_and_on(visit: Visit, site: RelaySite) -> None:
    page = visit.page
    switch, state = page.get_by_role("switch"), page.locator("#cache-state")
    await expect(switch).to_be_checked()
    await expect(page.locator("#cache-clear")).to_be_hidden()
    await page.fill("#announcements", "Cửa chính đang mở.\nMáy giặt đã xong.")
    await page.click("#cache-form button[type=submit]")
    await expect(state).to_contain_text("Stored: 2 sentences")
    await page.click("#cache-clear")
    await page.click("dialog button[value=no]")
    await expect(state).to_contain_text("Stored: 2 sentences")

    await page.press("#cache-enabled", "Space")
    assert "The speech cache is off" in await visit.text("#cache-switch-outcome.done")
    await expect(switch).not_to_be_checked()
    await expect(page.locator("#cache-form")).to_be_hidden()
    await expect(state).to_contain_text("Stored: 2 sentences")
    assert not load_settings(site.config).cache.enabled
    assert await visit.violations() == []

    await page.click("#cache-clear")
    await page.click("dialog button[value=yes]")
    await expect(state).to_contain_text("Stored: 0 sentences")
    await expect(page.locator("#cache-clear")).to_be_hidden()
    await page.select_option("#language", "vi")
    await expect(state).to_contain_text("Đã lưu: 0 câu")
    await page.click("#cache-enabled")
    assert await visit.text("#cache-switch-outcome.done") == "Bộ nhớ đệm giọng đọc đang bật."
    await expect(page.locator("#cache-form")).to_be_visible()
    assert load_settings(site.config).cache.enabled
    assert await visit.violations() == []


async def test_a_change_that_is_not_kept_is_named_and_the_switch_is_as_it_was(
    visit: Visit, site: RelaySite
) -> None:
    page = visit.page

    async def refuse(route: Route) -> None:
        if route.request.method != "PUT":
            await route.continue_()
            return
        problem = {"title": "Not kept", "detail": "Read-only.", "remedy": "", "code": "x"}
        await route.fulfill(status=422, body=json.dumps(problem), content_type="application/json")

    await page.route("**/api/cache", refuse)
    await page.click("#cache-enabled")
    assert "Not kept" in await visit.text("#cache-switch-outcome.problem")
    await expect(page.locator("#cache-enabled")).to_be_checked()
    assert site.administration.settings.cache.enabled


async def test_another_admin_sees_the_switch_as_it_is(browser: Browser, site: RelaySite) -> None:
    async with visiting(browser, site.url) as visit:
        await visit.page.clock.install()
        await log_in_as_admin(visit, site)
        switch = visit.page.locator("#cache-enabled")
        await expect(switch).to_be_checked()
        await site.call("PUT", "/cache", json={"enabled": False})
        await visit.page.clock.run_for(15_000)
        await expect(switch).not_to_be_checked()


@pytest.mark.parametrize("width", [375, 1920])
async def test_a_folder_that_cannot_be_used_is_named(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    folder = tmp_path / "speech"
    folder.write_text("no folder", "utf-8")
    cache = f"cache:\n  enabled: true\n  folder: {folder}\n"
    async with relaying(tmp_path, cache) as site, visiting(browser, site.url, width=width) as visit:
        await log_in_as_admin(visit, site)
        assert str(folder) in await visit.text("#cache-problem")
        assert await visit.violations() == []
        assert await visit.overflow() == 0
