"""A browser, and a relay with its admin page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chromium import MISSING, chromium, find_chromium
from playwright.async_api import Browser
from relay_site import TONES, RelaySite, relaying


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip(f"{MISSING} nox -s browser gets one.")
    async with chromium(program) as found:
        yield found


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    cache = f"cache:\n  enabled: true\n  folder: {tmp_path / 'speech'}\n"
    async with relaying(tmp_path, TONES + cache) as site:
        yield site
