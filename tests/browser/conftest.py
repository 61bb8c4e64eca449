"""A browser, and a relay with its admin page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from admin_visit import log_in_as_admin
from chromium import MISSING, chromium, find_chromium
from guard import GUARD_S
from page_visit import Visit, visiting
from playwright.async_api import Browser, expect
from relay_site import WITH_LAST_RESORT, RelaySite, relaying
from server_site import serving

from vieneu_core.testing import ScriptedBackend

expect.set_options(timeout=GUARD_S * 1_000)  # a busy machine is no failure


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
    async with relaying(tmp_path, WITH_LAST_RESORT + cache) as site:
        yield site


@pytest.fixture
async def visit(browser: Browser, site: RelaySite) -> AsyncIterator[Visit]:
    """An admin who is logged in."""
    async with visiting(browser, site.url) as visit:
        await log_in_as_admin(visit, site)
        yield visit


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """A server, as on Google Colab."""
    async with serving(ScriptedBackend(), session_limit_s=3_600) as remote:
        yield remote.url
