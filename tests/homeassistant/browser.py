"""Headless Chromium on Home Assistant's own pages, in the hands of an admin."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from chromium import MISSING, chromium, find_chromium
from playwright.async_api import Locator, Page
from real_hass import PASSWORD, USER, Hass

PICTURES = Path(os.environ.get("VIENEU_PICTURES", "pictures"))
"""Where screenshots are kept."""


@asynccontextmanager
async def browsing(hass: Hass, *, language: str) -> AsyncIterator[Page]:
    """Open a browser in a language, and log in by the form."""
    program = find_chromium()
    if program is None:
        pytest.fail(f"{MISSING} nox -s homeassistant gets one.")
    async with chromium(program) as browser:
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
