"""Login to the admin page: by code, by password, and out."""

from __future__ import annotations

import pytest
from admin_visit import PAGE, PASSWORD
from page_visit import Visit, visiting
from playwright.async_api import Browser
from relay_site import RelaySite

from vieneu_colab_server.relay.login import LOGINS_PER_MINUTE, LoginRefusedError


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
        await page.check("#first-show")
        assert await page.get_attribute("#first-password", "type") == "text"
        await page.click("#choose-form button[type=submit]")
        await page.wait_for_selector(PAGE)
        assert site.account.has_password
        assert await page.evaluate("scrollY") == 0, "the header is in view"
        await page.reload()
        await page.wait_for_selector(PAGE)

        await page.click("#log-out")
        await page.wait_for_selector("#login:not([hidden])")
        assert await page.evaluate("fetch('api/status').then((answer) => answer.status)") == 401
        assert await visit.violations() == []
        await page.fill("#password", "something else")
        await page.keyboard.press("Enter")
        assert "The password is wrong." in await visit.text("#login-outcome.problem")
        assert await page.input_value("#password") == "something else"
        await page.fill("#password", PASSWORD)
        await page.click("#login-form button[type=submit]")
        await page.wait_for_selector(PAGE)


async def test_a_relay_that_is_gone_is_named_beside_the_first_password(
    browser: Browser, site: RelaySite
) -> None:
    code = site.account.new_code().get_secret_value()
    async with visiting(browser, site.url) as visit:
        await visit.page.goto(f"{site.url}/relay/#code={code}")
        await visit.page.wait_for_selector("#choose:not([hidden])")
        site.server.stop()
        await site.task
        await visit.page.fill("#first-password", PASSWORD)
        await visit.page.keyboard.press("Enter")
        assert "does not answer" in await visit.text("#choose-outcome.problem")
        assert await visit.page.input_value("#first-password") == PASSWORD
    assert not site.account.has_password


async def test_a_guesser_is_told_to_wait(browser: Browser, site: RelaySite) -> None:
    site.account.set_password(PASSWORD)
    for _ in range(LOGINS_PER_MINUTE):
        with pytest.raises(LoginRefusedError):
            site.account.log_in("guess", client="127.0.0.1")
    async with visiting(browser, site.url, language="vi-VN") as visit:
        await visit.page.goto(f"{site.url}/relay/")
        await visit.page.fill("#password", PASSWORD)
        await visit.page.keyboard.press("Enter")
        assert "Quá 10 lần đăng nhập trong một phút." in await visit.text("#login-outcome.problem")
        assert await visit.page.input_value("#password") == PASSWORD
        assert await visit.violations() == []


async def test_a_code_that_was_used_is_refused(browser: Browser, site: RelaySite) -> None:
    code = site.account.new_code().get_secret_value()
    site.account.log_in_with_code(code)
    async with visiting(browser, site.url, language="vi-VN") as visit:
        await visit.page.goto(f"{site.url}/relay/#code={code}")
        said = await visit.text("#login-outcome.problem")
        assert "Đăng nhập bị từ chối" in said
        assert "vieneu-relay --login-code" in said


async def test_a_code_leads_past_a_forgotten_password(browser: Browser, site: RelaySite) -> None:
    site.account.set_password(PASSWORD)
    code = site.account.new_code().get_secret_value()
    async with visiting(browser, site.url) as visit:
        page = visit.page
        await page.goto(f"{site.url}/relay/")
        await page.wait_for_selector("#login:not([hidden])")
        assert not await page.is_visible("#login-first")
        # As it is pasted into the address bar of a page that is open.
        await page.evaluate("(code) => { location.hash = `code=${code}`; }", code)
        await page.click("#choose-later")
        await page.wait_for_selector(PAGE)
        assert page.url == f"{site.url}/relay/"
    assert site.account.log_in(PASSWORD)


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
