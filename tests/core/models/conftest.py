"""A model hub on this machine, and a cache that is empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_fetches import FILE, LARGE, REPO, SMALL
from hub_site import HubSite, hub_site


@pytest.fixture
def site() -> Iterator[HubSite]:
    with hub_site() as site:
        site.files[REPO] = {FILE: LARGE, "voices.json": SMALL, "README.md": b"# x"}
        yield site


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub"
