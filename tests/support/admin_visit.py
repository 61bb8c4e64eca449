"""What tests of the admin page do first: log in, and connect a server."""

from __future__ import annotations

from page_visit import Visit
from playwright.async_api import Page
from relay_site import RelaySite
from server_site import TOKEN

PASSWORD = "một mật khẩu dài"
PAGE = "#page[data-ready]"
READY = "[data-backend=remote] .badge.good"


async def log_in_as_admin(visit: Visit, site: RelaySite) -> None:
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
