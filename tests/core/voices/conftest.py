"""A catalogue of added voices, empty at first, and its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from vieneu_core.voices.catalogue import VoiceCatalogue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "voices"


@pytest.fixture
def catalogue(folder: Path) -> VoiceCatalogue:
    return VoiceCatalogue(folder)
