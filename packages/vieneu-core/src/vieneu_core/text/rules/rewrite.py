"""Rewrites: one written form each, turned into words or into a form that is read right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Replaces each place where a pattern matches.

    Every pattern must run in linear time: no repetition without a bound is followed by anything
    that it may itself contain.
    """

    pattern: re.Pattern[str]
    words: str | Callable[[re.Match[str]], str]

    def __call__(self, text: str) -> str:
        """Return the text with its written forms replaced."""
        return self.pattern.sub(self.words, text)


def rewrite(pattern: str, words: str | Callable[[re.Match[str]], str], flags: int = 0) -> Rewrite:
    """Return the rewrite of a pattern, written as a string."""
    return Rewrite(re.compile(pattern, flags), words)


def one_of(words: Iterable[str]) -> str:
    """Return a pattern that matches one of the words, the longest first."""
    return "(?:" + "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)) + ")"
