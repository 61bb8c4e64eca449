"""A cache before a router, for each test its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cache_rig import CacheRig, cache_rig


@pytest.fixture
async def rig(tmp_path: Path, no_leaks: None) -> AsyncIterator[CacheRig]:  # noqa: ARG001 - checked last
    async with cache_rig(tmp_path) as made:
        yield made
