"""The admin page in a real browser: what an admin does, sees, hears of, and gets wrong."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import nbformat
import pytest
from page_visit import Visit, visiting
from playwright.async_api import Browser, Page, expect
from relay_site import RelaySite
from server_site import TOKEN, serving
from voice_clips import clip, wav_file

from vieneu_core.config import load_settings
from vieneu_core.router import Mode
from vieneu_core.testing import ScriptedBackend

PASSWORD = "một mật khẩu dài"
PAGE = "#page[data-ready]"
HEARD = """new Promise((resolve) => {
    const player = document.getElementById("player");
    const check = () => player.currentTime > 0 && resolve();
    player.addEventListener("timeupdate", check);
    check();
})"""
"""Resolves once the player has played something."""
READY = "[data-backend=remote] .badge.good"


async def log_in(visit: Visit, site: RelaySite) -> None:
    """Open the page as an admin whose password is chosen."""
    if not site.account.has_password:
        site.account.set_password(PASSWORD)
    await visit.page.goto(f"{site.url}/relay/")
    await visit.page.fill("#password", PASSWORD)
    await visit.page.keyboard.press("Enter")
    await visit.page.wait_for_selector(PAGE)


async def connect(page: Page, url: str, token: str = TOKEN) -> None:
    await page.fill("#endpoint-url", url)
    await page.fill("#endpoint-token", token)
    await page.click("#connect-form button[type=submit]")


@pytest.fixture
async def visit(browser: Browser, site: RelaySite) -> AsyncIterator[Visit]:
    """An admin who is logged in."""
    async with visiting(browser, site.url) as visit:
        await log_in(visit, site)
        yield visit


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """A server, as on Google Colab."""
    async with serving(ScriptedBackend(), session_limit_s=3_600) as remote:
        yield remote.url


async def test_the_code_of_the_first_start_leads_to_a_password(
    browser: Browser, site: RelaySite
) -> None:
    code = site.account.new_code().get_secret_value()
    async with visiting(browser, site.url) as visit:
        page = visit.page
        await page.goto(f"{site.url}/relay/#code={code}")
        await page.wait_for_selector("#choose:not([hidden])")
        assert page.url == f"{site.url}/relay/", "the code is not in the address bar"
        assert await visit.violations() == []
        await page.fill("#first-password", "short")
        await page.keyboard.press("Enter")
        assert await page.evaluate("!document.getElementById('first-password').validity.valid")
        assert not site.account.has_password
        await page.fill("#first-password", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(PAGE)
        await page.reload()
        await page.wait_for_selector(PAGE)

        await page.click("#log-out")
        await page.wait_for_selector("#login:not([hidden])")
        assert await visit.violations() == []
        await page.fill("#password", "something else")
        await page.keyboard.press("Enter")
        assert "The password is wrong." in await visit.text("#login-outcome.problem")
        assert await page.input_value("#password") == "something else"
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(PAGE)


async def test_a_code_that_was_used_is_refused(browser: Browser, site: RelaySite) -> None:
    code = site.account.new_code().get_secret_value()
    site.account.log_in_with_code(code)
    async with visiting(browser, site.url, language="vi-VN") as visit:
        await visit.page.goto(f"{site.url}/relay/#code={code}")
        said = await visit.text("#login-outcome.problem")
        assert "Đăng nhập bị từ chối" in said
        assert "vieneu-relay --login-code" in said


async def test_a_session_that_ended_asks_again_and_keeps_what_was_typed(
    visit: Visit, site: RelaySite
) -> None:
    page = visit.page
    await page.fill("#announcements", "Cửa chính đang mở.")
    site.account.set_password(PASSWORD)  # ends all sessions
    await page.wait_for_selector("#login:not([hidden])")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#page:not([hidden])")
    assert await page.input_value("#announcements") == "Cửa chính đang mở."


async def test_a_server_is_connected_chosen_tested_and_disconnected(
    visit: Visit, site: RelaySite, server: str
) -> None:
    page = visit.page
    await connect(page, server)
    assert "Connected" in await visit.text("#connection-outcome.done")
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
        await log_in(visit, site)
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
        await log_in(first, site)
        await log_in(second, site)
        await connect(first.page, server)
        await second.page.wait_for_selector(READY)
        await second.page.click("[data-mode=remote]")
        await first.page.wait_for_selector("[data-mode=remote][aria-pressed=true]")
        switched = "[data-event=BackendSwitched]"
        assert "The mode is now: Google Colab." in await first.text(switched)
        assert "Chế độ hiện tại: Google Colab." in await second.text(switched)
        await first.page.click("[data-mode=local]")
        await second.page.wait_for_selector("[data-mode=local][aria-pressed=true]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1440, 1920])
@pytest.mark.parametrize("language", ["vi-VN", "en-US"])
async def test_every_part_is_accessible_and_fits_the_window(
    browser: Browser, site: RelaySite, server: str, language: str, width: int, scheme: str
) -> None:
    site.administration.voices.add("Bà Ngoại", clip())
    async with visiting(browser, site.url, language=language, width=width, scheme=scheme) as visit:
        await log_in(visit, site)
        await connect(visit.page, server)
        await visit.page.wait_for_selector(READY)
        await visit.page.wait_for_selector("#session-reminder", state="attached")
        await visit.page.click("[data-backend=local] [data-action=test]")
        await visit.page.wait_for_selector("[data-backend=local] .outcome.done")
        for part in await visit.page.query_selector_all("details:not([open]) > summary"):
            await part.click()
        await visit.page.wait_for_selector("#usable-voices li")
        assert await visit.violations() == []
        assert await visit.overflow() <= 0


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


async def test_a_voice_is_added_with_consent_heard_and_deleted(
    visit: Visit, site: RelaySite, tmp_path: Path
) -> None:
    page, voices = visit.page, site.administration.voices
    file = tmp_path / "ba.wav"
    file.write_bytes(wav_file())
    await page.set_input_files("#voice-file", file)
    await page.fill("#voice-transcript", "Xin chào các bạn.")
    await page.fill("#voice-name", "Bà Ngoại")
    await page.click("#voice-form button[type=submit]")
    assert await page.evaluate("!document.getElementById('voice-consent').validity.valid")
    assert voices.voices() == ()
    await page.check("#voice-consent")
    await page.click("#voice-form button[type=submit]")
    assert "Bà Ngoại" in await visit.text("#voice-outcome.done")
    await page.click("[data-voice=ba-ngoai] button:not(.danger)")
    await page.evaluate(HEARD)
    await page.click("#usable summary")
    await page.click("#usable-voices li:first-child button")
    await page.wait_for_selector("#usable-voices button:not([aria-disabled])")
    await page.evaluate(HEARD)

    await page.click("[data-voice=ba-ngoai] .danger")
    await page.click("dialog button[value=yes]")
    await page.wait_for_selector("#no-voices:not([hidden])")
    assert voices.voices() == ()


async def test_a_clip_that_cannot_be_used_is_named_and_the_form_stays(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    file = tmp_path / "noise.wav"
    file.write_bytes(b"no audio at all")
    await page.set_input_files("#voice-file", file)
    await page.fill("#voice-transcript", "Xin chào các bạn.")
    await page.fill("#voice-name", "Bà Ngoại")
    await page.check("#voice-consent")
    await page.click("#voice-form button[type=submit]")
    assert await visit.text("#voice-outcome.problem strong")
    assert await page.input_value("#voice-name") == "Bà Ngoại"
    file.write_bytes(bytes(3_000_001))
    await page.set_input_files("#voice-file", file)
    await page.click("#voice-form button[type=submit]")
    await expect(page.locator("#voice-outcome")).to_contain_text("too large")


async def test_the_notebook_has_the_choices_of_its_form(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    await page.select_option("#notebook-tunnel", "cloudflared")
    await page.click("#notebook-form summary")
    assert not await page.is_visible("#notebook-domain"), "this tunnel reserves none"
    await page.fill("#notebook-session-hours", "2")
    async with page.expect_download() as begun:
        await page.click("#notebook-form button[type=submit]")
    download = await begun.value
    assert download.suggested_filename == "vieneu_relay.ipynb"
    path = tmp_path / "made.ipynb"
    await download.save_as(path)
    made = json.loads(path.read_text("utf-8"))
    nbformat.validate(made)
    assert "cloudflared" in path.read_text("utf-8")
    assert await visit.text("#notebook-outcome.done")


async def test_a_wrong_choice_for_the_notebook_is_named(visit: Visit) -> None:
    page = visit.page
    await page.select_option("#notebook-tunnel", "ngrok")
    await page.click("#notebook-form summary")
    await page.fill("#notebook-domain", "no host")
    await page.click("#notebook-form button[type=submit]")
    assert "write a host name" in await visit.text("#notebook-outcome.problem")
    assert await page.input_value("#notebook-domain") == "no host"


async def test_announcements_are_prepared_and_each_failure_is_named(visit: Visit) -> None:
    page = visit.page
    await page.fill("#announcements", "Cửa chính đang mở.\n\nsegfault\nMáy giặt đã xong.")
    await page.click("#cache-form button[type=submit]")
    await page.wait_for_selector("#cache-outcome.done")
    said = await page.inner_text("#cache-outcome")
    assert said == "Prepared: 2. Already in the cache: 0. Failed: 1."
    assert "segfault" in await visit.text("#cache-failed li")
    await page.fill("#announcements", "Cửa chính đang mở.")
    await page.click("#cache-form button[type=submit]")
    await expect(page.locator("#cache-outcome")).to_contain_text("Already in the cache: 1.")


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


async def test_the_password_is_changed_and_the_page_stays(visit: Visit, site: RelaySite) -> None:
    page = visit.page
    await page.fill("#new-password", "một mật khẩu khác")
    await page.check("#new-show")
    assert await page.get_attribute("#new-password", "type") == "text"
    await page.click("#password-form button[type=submit]")
    assert await visit.text("#account-outcome.done")
    assert site.account.log_in("một mật khẩu khác")
    await page.reload()
    await page.wait_for_selector(PAGE)


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


async def test_a_relay_that_is_gone_is_named_and_nothing_typed_is_lost(
    visit: Visit, site: RelaySite
) -> None:
    page = visit.page
    await page.fill("#endpoint-url", "http://typed.example")
    site.server.stop()
    await site.task
    said = await visit.text("#status-outcome.problem")
    assert "The relay does not answer" in said
    await page.click("#connect-form button[type=submit]")
    assert "does not answer" in await visit.text("#connection-outcome.problem")
    assert await page.input_value("#endpoint-url") == "http://typed.example"
