"""A fake of the official SDK in the place of the package."""

from __future__ import annotations

import sys

import pytest
from fake_sdk import FakeVieneu, pretend


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> FakeVieneu:
    fallback = FakeVieneu()

    def make(**arguments: object) -> FakeVieneu:
        assert sys.modules.get("perth", 0) is None, "the watermarker is hidden from it"
        fallback.arguments = arguments
        return fallback

    pretend(monkeypatch, make)
    return fallback
