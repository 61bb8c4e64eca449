"""Emotions in brackets in a text: "[cười]" is a laugh for a model that knows it, and no word."""

from __future__ import annotations

import re
from collections.abc import Iterator

EMOTIONS = {
    **dict.fromkeys(("cười", "chuckle"), "<|emotion_1|>"),
    **dict.fromkeys(("thở dài", "sigh"), "<|emotion_2|>"),
    **dict.fromkeys(("hắng giọng", "clear throat"), "<|emotion_3|>"),
}
"""Names of emotions, and the VieNeu models' token for each."""
_BRACKETED = re.compile(r"\[([^\[\]]{1,20})\]")


def split_emotions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each part of a text without emotions, with the emotion before it or an empty string."""
    emotion, at = "", 0
    for found in _BRACKETED.finditer(text):
        name = " ".join(found[1].lower().split())
        if name in EMOTIONS:
            yield emotion, text[at : found.start()]
            emotion, at = name, found.end()
    yield emotion, text[at:]
