"""The user's dictionary: how names of people, rooms and brands are said.

A line is ``written = spoken``; a line that begins with ``#`` is a comment, and so is what follows
`` #`` in a line. A line that is wrong is named and skipped. What stands in a sentence as whole
words is replaced, the longest entry first, from the left, in one pass: what was put in is not
searched again. Capitals do not matter, except in an entry that has no small letter: ``AI`` is not
the question word "ai". Both sides are composed (NFC), with one space for any white space; the tone
mark of oa, oe and uy may stand on either vowel ("Hòa" is "Hoà").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Self

from vieneu_core.arguments import expect
from vieneu_core.text.clean import has_speech, one_line
from vieneu_core.translatable import Translatable

MAX_LINES = 5_000
"""Lines that are read; what follows is skipped."""
MAX_WRITTEN_CHARS, MAX_SPOKEN_CHARS = 100, 200
_MAX_LINE_CHARS = 1_000
_SEPARATOR = "="
_COMMENT = re.compile(r"(?:^|\s)#")
_TOKEN = re.compile(r"\w[\w\u0300-\u036f]*|.", re.DOTALL)
"""A word, or one character between words."""
_TONES = "([\u0300\u0301\u0303\u0309\u0323])"
_TONE = re.compile(f"(o){_TONES}([ae])$|(u){_TONES}(y)$")
"""Decomposed: a tone mark on the first of two vowels at the end of a word, as it was written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the dictionary."""

    line: int
    """Number of the line, from 1."""
    written: str
    spoken: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is skipped."""

    line: int
    """Number of the line, from 1."""
    reason: str
    """Why, as a sentence that can be translated."""


@dataclass(slots=True)
class _Node:
    """What may follow the same words; at the end of an entry, what is said."""

    following: dict[str, _Node] = field(default_factory=dict)
    any_case: str | None = None
    capitals: str | None = None


@dataclass(frozen=True, slots=True)
class UserDictionary:
    """Entries to apply; equal if their content is."""

    entries: tuple[Entry, ...] = ()
    bad_lines: tuple[BadLine, ...] = ()
    _root: _Node = field(default_factory=_Node, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for entry in self.entries:
            node = self._root
            for token in _tokens(entry.written):
                node = node.following.setdefault(_folded(token), _Node())
            if _only_capitals(entry.written):
                node.capitals = entry.spoken
            else:
                node.any_case = entry.spoken

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the content of a file; wrong lines are in `bad_lines`. Never raises for them."""
        expect("text", text, str, "the content of a dictionary file")
        entries: list[Entry] = []
        bad: list[BadLine] = []
        line_of: dict[tuple[bool, str], int] = {}
        for number, line in enumerate(lines_of(text), 1):
            if number > MAX_LINES:
                bad.append(BadLine(number, _too_many()))
                break
            content = _COMMENT.split(line[: _MAX_LINE_CHARS + 1], maxsplit=1)[0]
            if not content.strip():
                continue
            written, separator, spoken = (one_line(part) for part in content.partition(_SEPARATOR))
            reason = _fault(written, separator, spoken, n_chars=len(line))
            if reason is None and (first := line_of.setdefault(_key(written), number)) != number:
                reason = Translatable(
                    "{written} is in line {first} already.", written=written, first=first
                )
            if reason is None:
                entries.append(Entry(number, written, spoken))
            else:
                bad.append(BadLine(number, reason))
        return cls(tuple(entries), tuple(bad))

    def applied(self, sentence: str) -> str:
        """Return a sentence with the entries in it as they are said. Linear in its length."""
        if not self.entries:
            return sentence
        sentence = unicodedata.normalize("NFC", sentence)
        tokens = _tokens(sentence)
        folded = list(map(_folded, tokens))
        said: list[str] = []
        at = 0
        while at < len(tokens):
            found = self._longest(tokens, folded, at)
            if found is None:
                said.append(tokens[at])
                at += 1
            else:
                spoken, at = found
                said.append(spoken)
        return "".join(said)

    def _longest(self, tokens: list[str], folded: list[str], start: int) -> tuple[str, int] | None:
        """Return what is said for the longest entry at a place, and where it ends.

        An entry has at most `MAX_WRITTEN_CHARS` tokens, which bounds the search.
        """
        node: _Node | None = self._root
        found: tuple[str, int] | None = None
        for at in range(start, len(tokens)):
            node = node.following.get(folded[at]) if node is not None else None
            if node is None:
                break
            spoken = node.any_case
            if node.capitals is not None and _only_capitals("".join(tokens[start : at + 1])):
                spoken = node.capitals
            if spoken is not None:
                found = spoken, at + 1
        return found


NO_ENTRIES = UserDictionary()


def lines_of(text: str) -> list[str]:
    """Return the lines of a dictionary's content, without their ends, as they are counted."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def with_entry(text: str, written: str, spoken: str) -> str:
    """Return the content of a file with an entry, in the place of the one for the same words.

    All other lines stay as they are.
    """
    line = f"{one_line(written)} {_SEPARATOR} {one_line(spoken)}"
    lines = lines_of(text)
    numbers = _lines_with(text, written)
    if numbers:
        lines[numbers[0] - 1] = line
        return "\n".join(lines)
    kept = "\n".join(lines).rstrip("\n")
    return f"{kept}\n{line}\n" if kept else f"{line}\n"


def without_entry(text: str, written: str) -> str | None:
    """Return the content of a file without the entry for these words; None if there is none."""
    numbers = _lines_with(text, written)
    if not numbers:
        return None
    lines = enumerate(lines_of(text), 1)
    return "\n".join(line for number, line in lines if number not in numbers)


def _lines_with(text: str, written: str) -> list[int]:
    key = _key(one_line(written))
    entries = UserDictionary.parse(text).entries
    return [entry.line for entry in entries if _key(entry.written) == key]


def _fault(written: str, separator: str, spoken: str, *, n_chars: int) -> str | None:
    """Return why a line is wrong; None where it is right."""
    if n_chars > _MAX_LINE_CHARS:
        return Translatable("The line has more than {most} characters.", most=_MAX_LINE_CHARS)
    if not separator:
        return "The line has no =; an entry is: written = spoken."
    if not any(map(str.isalnum, written)):
        return "Before the = stands no word."
    if not has_speech(spoken):
        return "After the = stands nothing that can be said."
    for part, most in ((written, MAX_WRITTEN_CHARS), (spoken, MAX_SPOKEN_CHARS)):
        if len(part) > most:
            return Translatable("One side has more than {most} characters.", most=most)
    return None


def _too_many() -> str:
    return Translatable(
        "The dictionary has more than {most} lines; the rest is skipped.", most=MAX_LINES
    )


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _folded(token: str) -> str:
    """Return a token without what does not count: capitals, and where a tone mark stands."""
    small = token.lower()
    if small.isascii():
        return small
    placed = _TONE.sub(r"\1\3\2\4\6\5", unicodedata.normalize("NFD", small))
    return unicodedata.normalize("NFC", placed)


def _only_capitals(text: str) -> bool:
    """Return whether a text has letters with a small form, and all of them are capitals."""
    return text.isupper()


def _key(written: str) -> tuple[bool, str]:
    """Return what two entries for the same words have in common."""
    return _only_capitals(written), "".join(map(_folded, _tokens(written)))
