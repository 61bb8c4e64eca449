"""Rewriting of one kind of expression, to words or to a form that is read correctly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Replaces each match of a pattern.

    Every pattern must run in linear time: after an unbounded repetition there must be nothing
    that the repetition itself can match.
    """

    pattern: re.Pattern[str]
    words: str | Callable[[re.Match[str]], str]

    def __call__(self, text: str) -> str:
        """Return the text with all matches replaced."""
        return self.pattern.sub(self.words, text)


def rewrite(pattern: str, words: str | Callable[[re.Match[str]], str], flags: int = 0) -> Rewrite:
    """Return the rewrite for a pattern given as a string."""
    return Rewrite(re.compile(pattern, flags), words)


def one_of(words: Iterable[str]) -> str:
    """Return a pattern that matches one of the words, the longest first."""
    return "(?:" + "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)) + ")"
