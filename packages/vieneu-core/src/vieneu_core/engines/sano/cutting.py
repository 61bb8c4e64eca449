"""Cutting of a sentence that is longer than the networks were trained for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_COMMA = re.compile(r"(?<=[,;:.!?])\s+")
_SPACE = re.compile(r"\s+")


def cut(sentence: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Yield a sentence in pieces that fit: cut at commas, else between words, else anywhere.

    Each cut is the one nearest to the middle, so that no piece is much shorter than the others.

    Args:
        sentence: The sentence; its pieces have all of its words.
        fits: Whether a piece is short enough; true for a single character.
    """
    words = sentence.strip()
    if not any(map(str.isalnum, words)):
        return
    if len(words) <= 1 or fits(words):
        yield words
        return
    start, end = _middle(words)
    yield from cut(words[:start], fits)
    yield from cut(words[end:], fits)


def _middle(words: str) -> tuple[int, int]:
    """Return the gap to cut at, as start and end; both inside of the words."""
    middle = len(words) / 2
    for gap in (_COMMA, _SPACE):
        gaps = [found.span() for found in gap.finditer(words)]
        usable = [
            span for span in gaps if gap is _SPACE or len(words) / 5 < span[0] < len(words) * 4 / 5
        ]
        if usable:
            return min(usable, key=lambda span: abs(span[0] - middle))
    return len(words) // 2, len(words) // 2
