"""Outcomes of a rule of markup, and what a rule is given.

A rule reads a window of the text that begins with a character which may begin markup. Its answer
may depend only on the characters that it needs: given the same text in other pieces, it answers
`MORE` until they are there, and then the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from re import Pattern
from typing import Final

MAX_WINDOW = 4096
"""Characters that markup may have; what is longer is text."""


class _Undecided(Enum):
    MORE = 0


MORE: Final = _Undecided.MORE
"""The answer depends on characters that are not there yet."""


@dataclass(frozen=True, slots=True)
class Skip:
    """What is left out up to and including the match of ``end``."""

    end: Pattern[str]
    kept: int = 64
    """Longest match of ``end``, in characters."""
    put_back: str = ""
    """What is read in its place."""
    spared: bool = False
    """Whether the match itself is not left out."""


@dataclass(frozen=True, slots=True)
class Code:
    """Text in which nothing is markup, up to its closing mark."""

    mark: str
    fenced: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Markup: the first ``length`` characters of the window."""

    length: int
    text: str = ""
    """What is spoken instead."""
    again: bool = False
    """Whether that may hold markup itself."""
    then: Skip | Code | None = None
    """What follows."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the text, and what is known around it."""

    text: str
    """Begins with the character in question; has at most `MAX_WINDOW` characters."""
    before: str
    """The last characters of the text before it, without its markup."""
    ended: bool
    """Whether the text ends with the window."""

    @property
    def last(self) -> str:
        """The character before the window."""
        return self.before[-1:]

    @property
    def complete(self) -> bool:
        """Whether a rule must not wait for more."""
        return self.ended or len(self.text) >= MAX_WINDOW


Outcome = Found | _Undecided | None
"""None: it is no markup."""
Rule = Callable[[Window], Outcome]
