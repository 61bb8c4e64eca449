"""A server that speaks tones, a proxy before it that can go wrong, and clients of both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from remote_site import RemoteSite, site_of

from vieneu_core.testing.scripted import ScriptedBackend

pytest.register_assert_rewrite("spoken_texts")  # a failure shows what was compared


@pytest.fixture
async def site() -> AsyncIterator[RemoteSite]:
    async with site_of(ScriptedBackend()) as site:
        yield site
