"""Fixtures for the tests of the notebook's cells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from colab_cells import TOKEN

SUPPORT = Path(__file__).parents[2] / "support"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def on_colab(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Make a Colab of this process."""
    monkeypatch.syspath_prepend(str(SUPPORT / "fakes"))
    monkeypatch.setenv("COLAB_SECRET_VIENEU_TOKEN", TOKEN)
    yield monkeypatch
    for name in [name for name in sys.modules if name.startswith("google.colab")]:
        del sys.modules[name]


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vieneu_colab_server.colab.status_cell.HEALTH_CHECK_EVERY_S", 0.1)
