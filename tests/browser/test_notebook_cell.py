"""Cell 6 in a browser: the banner is readable anywhere, and the token is copied without a trace."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from notebook_page import CONTRASTS, THEMES, output_page
from playwright.async_api import Browser, BrowserContext, Page
from pydantic import SecretStr

from vieneu_colab_server.colab.banner import BannerFacts, banner_html
from vieneu_colab_server.colab.token_frame import hand_over, show_token_frame
from vieneu_colab_server.colab.token_page import TokenPage
from vieneu_colab_server.i18n import cell_messages

FAKES = Path(__file__).parents[1] / "support/fakes"
TOKEN = 'token-<of>-the-"house"-0123456789-abcdef'
URL = "https://a-name-that-is-long-enough-to-be-broken-on-a-phone.ngrok-free.app"
MESSAGES = cell_messages("vi")
BANNER = banner_html(
    BannerFacts(
        url=URL,
        token_page_url="",
        ends_at=datetime(2026, 11, 25, 20, 0, tzinfo=UTC),
        engine="pytorch · VieNeu-TTS · Tesla T4",
        address_updated=False,
    ),
    MESSAGES,
)


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.syspath_prepend(FAKES)
    monkeypatch.setenv("COLAB_EVALUATED", str(tmp_path / "evaluated"))
    yield monkeypatch
    for name in [name for name in sys.modules if name.partition(".")[0] == "google"]:
        del sys.modules[name]


@pytest.fixture
async def token_page() -> AsyncIterator[TokenPage]:
    page = TokenPage(lambda: SecretStr(TOKEN), MESSAGES)
    await page.open()
    yield page
    await page.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(locale="vi-VN")
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    await context.close()


Show = Callable[..., Awaitable[Page]]


@pytest.fixture
async def shown(context: BrowserContext) -> AsyncIterator[Show]:
    """Serve an output on this machine, as the frame in it is, and open it."""
    served = dict[str, str]()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=served["html"], content_type="text/html")

    app = web.Application()
    app.router.add_get("/cell", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()

    async def show(html: str, *, width: int = 1280) -> Page:
        served["html"] = html
        page = await context.new_page()
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto(f"http://localhost:{runner.addresses[0][1]}/cell")
        return page

    yield show
    await runner.cleanup()


async def clipboard(page: Page) -> str:
    text: str = await page.evaluate("navigator.clipboard.readText()")
    return text


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("theme", THEMES)
async def test_the_banner_is_readable_under_each_style(theme: str, width: int, shown: Show) -> None:
    page = await shown(output_page(theme, BANNER), width=width)

    contrasts = dict(await page.evaluate(CONTRASTS))
    assert MESSAGES("copy") in contrasts
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=f"{folder}/banner-{theme}-{width}.png", full_page=True)
    await page.click("button.copy")
    assert await clipboard(page) == URL


@pytest.mark.parametrize("theme", ["colab-light", "colab-dark"])
async def test_the_token_is_copied_from_its_frame_and_is_in_no_output(
    theme: str, shown: Show, colab: pytest.MonkeyPatch, token_page: TokenPage
) -> None:
    scripts = list[str]()
    colab.setattr("IPython.display.display", lambda script: scripts.append(script.data))
    show_token_frame(token_page.url)
    html = output_page(theme, BANNER, *scripts)
    assert not token_page.opened

    page = await shown(html, width=375)
    frame = page.frame_locator("iframe")
    await frame.locator("#copy").wait_for()
    assert token_page.opened
    assert TOKEN not in await frame.locator("body").inner_text()
    await frame.locator("#copy").click()
    await frame.locator(f"#copy:text('{MESSAGES('copied')}')").wait_for()
    assert await clipboard(page) == TOKEN
    await frame.locator("#show").click()
    assert await frame.locator("#token").inner_text() == TOKEN
    assert await frame.locator("#show").inner_text() == MESSAGES("hide")
    await frame.locator("#show").click()
    assert TOKEN not in await frame.locator("body").inner_text()

    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=f"{folder}/token-{theme}.png", full_page=True)
    fits = await page.frames[1].evaluate("document.body.scrollHeight <= innerHeight + 1")
    assert fits, "without a scroll bar"
    assert TOKEN not in html
    assert TOKEN not in await page.content()


@pytest.mark.usefixtures("colab")
async def test_where_the_frame_is_blocked_a_button_copies_the_token(
    shown: Show, tmp_path: Path
) -> None:
    page = await shown(output_page("colab-dark", BANNER), width=375)
    hand_over(SecretStr(TOKEN), MESSAGES)
    hand_over(SecretStr(TOKEN), MESSAGES)
    for line in (tmp_path / "evaluated").read_text().splitlines():
        await page.evaluate(json.loads(line))

    button = page.locator(".vieneu-handed-over button")
    assert await button.count() == 1
    contrasts = dict(await page.evaluate(CONTRASTS))
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}
    await button.click()
    await page.locator(f".vieneu-handed-over button:text('{MESSAGES('copied')}')").wait_for()
    assert await clipboard(page) == TOKEN
    assert TOKEN not in await page.content()
