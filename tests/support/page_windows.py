"""Windows in which each page has to fit and to be accessible."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import product
from typing import Literal

from playwright.async_api import Page

WIDTHS = (375, 1440, 1920)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def each_window(page: Page) -> AsyncIterator[str]:
    """Show the page in each width and colour scheme; yield a description of the window."""
    for width, scheme in product(WIDTHS, SCHEMES):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme)
        yield f"{width} px, {scheme}"
