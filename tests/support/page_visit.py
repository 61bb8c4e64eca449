"""A visit to a page of the relay in a browser, which notes what a page must not do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from urllib.parse import urlsplit

from guard import GUARD_S
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

AXE = files("axe_playwright_python") / "axe.min.js"
"""axe-core, of which only this file is used."""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@dataclass
class Visit:
    """A page in a browser of its own: nothing is shared with another visit."""

    page: Page
    context: BrowserContext
    origin: str
    foreign: list[str] = field(default_factory=list)
    """Requests to another origin."""
    errors: list[str] = field(default_factory=list)
    """What the page itself reports."""
    languages: list[str] = field(default_factory=list)
    """``Accept-Language`` of each call of the API."""

    async def text(self, selector: str) -> str:
        """Return what is written in an element, once it is shown."""
        await self.page.wait_for_selector(selector)
        return await self.page.inner_text(selector)

    async def violations(self) -> list[str]:
        """Return what axe-core finds wrong with the page as it is."""
        await self.page.evaluate(AXE.read_text("utf-8"))
        options = json.dumps({"runOnly": list(RULES), "resultTypes": ["violations"]})
        found = await self.page.evaluate(f"axe.run({options})")
        return [
            f"{each['id']}: {node['html'][:120]}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    async def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(
            await self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"blob", "data"}:
            return
        if f"{address.scheme}://{address.netloc}" != self.origin:
            self.foreign.append(request.url)
        if "/api/" in address.path:
            self.languages.append(request.headers.get("accept-language", ""))

    def note_message(self, message: ConsoleMessage) -> None:
        # Chromium reports each status above 399; the page shows them itself.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)


@asynccontextmanager
async def visiting(
    browser: Browser,
    origin: str,
    *,
    language: str = "en-US",
    width: int = 1280,
    scheme: str = "light",
) -> AsyncIterator[Visit]:
    """Open a window; at its end the page has asked no other origin, and reported no error."""
    context = await browser.new_context(
        locale=language,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    page.set_default_timeout(GUARD_S * 1_000)
    visit = Visit(page, context, origin)
    page.on("request", visit.note_request)
    page.on("console", visit.note_message)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    try:
        yield visit
    finally:
        await context.close()
    assert visit.foreign == []
    assert visit.errors == []
