"""Headless Chromium for tests: where it is, and a browser of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

HERE = Path(__file__).parents[2] / ".tools/chromium/chromium"
"""Where `scripts/chromium` puts one."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "There is no Chromium: install it (chromium on PATH), get one with scripts/chromium,"
    " or name it: CHROMIUM=/path/to/chromium."
)
# Our pages fetch nothing from elsewhere; Chromium itself must not either.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--autoplay-policy=no-user-gesture-required",
)


def find_chromium() -> str | None:
    """Return the program that is named, or the first one that is here; None where none is."""
    if named := os.environ.get("CHROMIUM"):
        return named
    if HERE.is_file():
        return str(HERE)
    return next(filter(None, map(shutil.which, NAMES)), None)


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Browser]:
    """Run a browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            await browser.close()
