"""A relay, and somebody who has logged in on its Speak page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from relay_site import RelaySite, relaying
from speak_user import SpeakUser, speak_user


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


@pytest.fixture
async def user(site: RelaySite) -> AsyncIterator[SpeakUser]:
    async with speak_user(site) as user:
        await user.log_in()
        yield user
