"""Headless Chromium on Home Assistant's own pages, in the hands of an admin."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright
from real_hass import PASSWORD, USER, Hass

PICTURES = Path(os.environ.get("VIENEU_PICTURES", "pictures"))
"""Where screenshots are kept."""
# Home Assistant's pages fetch nothing from elsewhere; Chromium itself must not either.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@asynccontextmanager
async def browsing(hass: Hass, *, language: str) -> AsyncIterator[Page]:
    """Open a browser in a language, and log in by the form."""
    program = os.environ.get("CHROMIUM")
    if not program:
        pytest.fail("CHROMIUM names no browser; run nox -s homeassistant, which gets one.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        try:
            page = await browser.new_page(
                locale=language, viewport={"width": 1280, "height": 900}, timezone_id="Asia/Saigon"
            )
            page.set_default_timeout(30_000)
            await page.goto(f"{hass.url}/config/integrations/dashboard")
            await page.fill("input[name=username]", USER)
            await page.fill("input[name=password]", PASSWORD)
            await page.keyboard.press("Enter")
            await page.wait_for_selector("ha-config-integrations-dashboard")
            yield page
        finally:
            await browser.close()


async def picture(shown: Page | Locator, name: str) -> None:
    """Keep what is on the screen, or a part of it, for people to look at."""
    await shown.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


async def text_of(page: Page) -> str:
    """Return all words on the screen, also those in shadow roots."""
    found: str = await page.evaluate(
        """() => {
            const words = [];
            const walk = (node) => {
                if (node.shadowRoot) walk(node.shadowRoot);
                for (const child of node.childNodes) {
                    if (child.nodeType === Node.TEXT_NODE) words.push(child.textContent.trim());
                    else if (!['STYLE', 'SCRIPT'].includes(child.nodeName)) walk(child);
                }
            };
            walk(document.body);
            return words.filter(Boolean).join('\\n');
        }"""
    )
    return found
