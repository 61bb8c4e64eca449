"""Writes the preset voices of a synthetic model, as ``voices.json`` beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict


class Preset(TypedDict):
    """A voice as the file describes it."""

    codes: list[int]
    text: str
    description: str


VOICES: dict[str, Preset] = {
    "An": {"codes": list(range(40)), "text": "Xin chào các bạn.", "description": "Giọng thử An"},
    "Chi": {
        "codes": list(range(256 + 100, 256 + 150)),
        "text": "Hôm nay trời đẹp quá.",
        "description": "Giọng thử Chi",
    },
}
"""Each has a bank of codes of its own (see `network`), and begins at its own place in it."""


def write_presets(folder: Path) -> Path:
    """Write the file; return its path."""
    path = folder / "voices.json"
    layout = {"default_voice": "An", "presets": VOICES}
    path.write_text(json.dumps(layout, ensure_ascii=False), "utf-8")
    return path
