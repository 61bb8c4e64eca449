from __future__ import annotations

from pathlib import Path

import pytest
from sano_voice import write_sano_voice


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A synthetic voice."""
    return write_sano_voice(tmp_path / "vi-test")
