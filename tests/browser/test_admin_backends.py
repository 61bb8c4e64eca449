"""Backends on the admin page: connected, chosen, tested, measured, and gone."""

from __future__ import annotations

import re

import pytest
from admin_visit import READY, connect, log_in_as_admin
from page_visit import Visit, visiting
from playwright.async_api import Browser, expect
from relay_site import RelaySite
from server_site import TOKEN, serving
from voice_clips import clip

from vieneu_core.config import load_settings, save_settings
from vieneu_core.router import Mode
from vieneu_core.testing import ScriptedBackend


async def test_a_server_is_connected_chosen_tested_and_disconnected(
    visit: Visit, site: RelaySite, server: str
) -> None:
    page = visit.page
    await page.fill("#endpoint-url", server)
    await page.fill("#endpoint-token", "a-wrong-token-that-is-long-enough")
    await page.click("#test-connection")
    assert "token" in await visit.text("#connection-outcome.problem"), "and the page stays open"
    await page.fill("#endpoint-token", TOKEN)
    await page.click("#test-connection")
    assert "Nothing was saved" in await visit.text("#connection-outcome.done")
    assert await page.input_value("#endpoint-token") == TOKEN, "as it was typed"
    assert not load_settings(site.config).colab.enabled

    await connect(page, server)
    await expect(page.locator("#connection-outcome.done")).to_contain_text("Connected")
    await page.wait_for_selector(READY)
    assert await page.input_value("#endpoint-token") == ""
    assert TOKEN not in await page.content()
    assert "20,000 requests" in await visit.text("#quota-text")
    assert "ends" not in await page.inner_text("#session-alert")

    await page.click("[data-mode=remote]")
    await page.wait_for_selector("[data-mode=remote][aria-pressed=true]:not([aria-disabled])")
    await expect(page.locator("#active")).to_have_text("Active backend: Google Colab")
    assert load_settings(site.config).mode == Mode.REMOTE.value

    await page.click("#test-connection")
    assert re.search(r"It spoke \d+\.\d s", await visit.text("#connection-outcome.done"))

    await page.click("#rotate-token")
    await page.click("dialog button[value=no]")
    assert load_settings(site.config).colab.auth_token.get_secret_value() == TOKEN
    await page.click("#rotate-token")
    await page.click("dialog button[value=yes]")
    assert "new token" in await visit.text("#connection-outcome.done")
    kept = load_settings(site.config).colab.auth_token.get_secret_value()
    assert kept != TOKEN
    assert kept not in await page.content()

    await page.click("#disconnect")
    assert await visit.violations() == [], "with a question open"
    await page.click("dialog button[value=yes]")
    assert "Disconnected" in await visit.text("#connection-outcome.done")
    await page.wait_for_selector("[data-mode=local][aria-pressed=true]")
    assert not load_settings(site.config).colab.enabled


async def test_a_changed_setting_that_needs_a_restart_is_named(
    visit: Visit, site: RelaySite
) -> None:
    note = visit.page.locator("#settings-notes")
    await expect(note).to_be_hidden()
    save_settings({"cache.max_bytes": 20_000_000}, site.config)
    await expect(note).to_have_text(
        "Changed, and used after a restart of the relay: cache.max_bytes"
    )
    save_settings({"cache.max_bytes": 200_000_000}, site.config)
    await expect(note).to_be_hidden()


@pytest.mark.parametrize(
    ("language", "url", "said"),
    [
        ("en-US", "my server", "The server cannot be used: it contains a space"),
        ("vi-VN", "my server", "Không dùng được máy chủ"),
        ("en-US", "http://127.0.0.1:9", "Connect"),
        ("vi-VN", "http://127.0.0.1:9", "kết nối"),
    ],
)
async def test_a_wrong_url_shows_its_error_beside_it_and_loses_nothing(
    browser: Browser, site: RelaySite, language: str, url: str, said: str
) -> None:
    async with visiting(browser, site.url, language=language) as visit:
        await log_in_as_admin(visit, site)
        await connect(visit.page, url, "a-token-that-is-long-enough")
        assert said in await visit.text("#connection-outcome.problem")
        assert await visit.page.input_value("#endpoint-url") == url
        assert await visit.page.input_value("#endpoint-token") == "a-token-that-is-long-enough"
        assert await visit.page.get_attribute("#endpoint-url", "aria-invalid") == "true"
        assert await visit.violations() == []
    assert not load_settings(site.config).colab.enabled


async def test_a_mode_that_is_not_ready_is_refused_beside_its_button(visit: Visit) -> None:
    await visit.page.click("[data-mode=remote]")
    assert await visit.text("#mode-outcome.problem")
    assert await visit.page.get_attribute("[data-mode=local]", "aria-pressed") == "true"


async def test_two_browsers_see_the_change_of_each_other(
    browser: Browser, site: RelaySite, server: str
) -> None:
    async with (
        visiting(browser, site.url) as first,
        visiting(browser, site.url, language="vi-VN") as second,
    ):
        await log_in_as_admin(first, site)
        await log_in_as_admin(second, site)
        await first.page.click("#usable summary")
        await first.page.wait_for_selector("#usable-voices [data-voice=vi-low]")
        await second.page.fill("#voice-name", "typed before")
        site.administration.voices.add("Bà Ngoại", clip())
        for visit in (first, second):
            await visit.page.wait_for_selector("#own-voices [data-voice=ba-ngoai]")
        assert await second.page.input_value("#voice-name") == "typed before"
        await connect(first.page, server)
        await second.page.wait_for_selector(READY)
        await second.page.click("[data-mode=remote]")
        await first.page.wait_for_selector("[data-mode=remote][aria-pressed=true]")
        switched = "[data-event=BackendSwitched]"
        assert "The mode is now: Google Colab." in await first.text(switched)
        assert "Chế độ hiện tại: Google Colab." in await second.text(switched)
        await first.page.wait_for_selector("#usable-voices [data-voice=vi-low]", state="detached")
        await first.page.click("[data-mode=local]")
        await first.page.wait_for_selector("#usable-voices [data-voice=vi-low]")
        await second.page.wait_for_selector("[data-mode=local][aria-pressed=true]")


async def test_the_last_hour_is_drawn_and_told_in_a_table(visit: Visit) -> None:
    page = visit.page
    await page.click("#usable summary")
    await page.click("#usable-voices li:first-child button")
    await page.wait_for_selector("#player[src^=blob]")
    await page.reload()
    drawing = page.locator(".chart svg[role=img]")
    await drawing.wait_for()
    assert "Local: mean" in str(await drawing.get_attribute("aria-label"))
    await page.click("#speed summary")
    assert " ms" in await visit.text("#chart-table tbody tr td")


@pytest.mark.parametrize(
    ("limit_s", "urgent"), [(25 * 60, False), (4 * 60, True)], ids=["30 minutes", "5 minutes"]
)
async def test_the_end_of_the_session_is_announced(
    visit: Visit, limit_s: float, *, urgent: bool
) -> None:
    async with serving(ScriptedBackend(), session_limit_s=limit_s, session_drain_s=1) as remote:
        await connect(visit.page, remote.url)
        await visit.page.wait_for_selector("#session-reminder:not([hidden])")
        said = await visit.page.inner_text("#session-reminder")
        assert said == await visit.page.inner_text("#session-alert")
        reminder = visit.page.locator("#session-reminder")
        assert ("urgent" in str(await reminder.get_attribute("class"))) is urgent


async def test_a_backend_is_unloaded_and_loaded(visit: Visit) -> None:
    page = visit.page
    await page.click("[data-backend=local] [data-action=unload]")
    await expect(page.locator("[data-backend=local] .badge")).to_have_text("Not loaded")
    assert await visit.text("#fallback")
    await page.click("[data-backend=local] [data-action=load]")
    await expect(page.locator("[data-backend=local] .badge")).to_have_text("Ready")
