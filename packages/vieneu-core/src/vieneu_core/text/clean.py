"""Cleaning of incoming text: characters and words. Sentences are split elsewhere.

The marks of Markdown that a word shows by itself are removed here: bullets, headings, quotes,
emphasis, tables. All other markup is removed before (see `markup`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from vieneu_core.text.rules.plain_forms import plain_form
from vieneu_core.text.rules.unsaid import is_unsaid

MAX_WORD_CHARS = 64
"""A longer word is split, so that text without spaces is streamed too."""
_MAX_MARKS = 30  # marks on one letter: limit of Unicode's Stream-Safe Text Format (UAX 15)

_LINE_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_SPOKEN_SIGNS = "%‰°&@"
_TIMES = "\u00d7"
_WORD = re.compile(rf"(?P<gap>[ \n]*)(?P<word>[^ \n]{{{MAX_WORD_CHARS}}}|[^ \n]+(?=[ \n]))")
_TOO_MANY_MARKS = re.compile(rf"([\u0300-\u036f]{{{_MAX_MARKS}}})[\u0300-\u036f]+")
_BULLET = re.compile(r"[-*+•·▪◦‣●○\u2013\u2014]|#{1,6}")  # two of them are dashes
_NUMBERED = re.compile(r"(?:\d{1,3}|[a-zđ])[.)]")
_BARS = re.compile(r"\|+")
_BETWEEN_BARS = re.compile(r"\|[^|]+\|")
_QUOTE = re.compile(r">+")
_QUOTE_OF_WORD = re.compile(r"^>+(?=[^\W\d])")
_EMPHASIS = re.compile(r"~~|^(?<!\w)==(?=\w)|(?<=[\w.,!?])==$|^#{2,6}$|_+(?=\W*$)")
_EMPHASIS_BEGIN = re.compile(r"^(\W*)_+")
_EMOTICON = re.compile(r"[:;=][-']?(?:[DPpvVOo]+|[()\[\]]+)|[xX]D+|:3")
_PUNCTUATION = ("", *",.;:!?…")


def is_speakable(char: str) -> bool:
    """Return whether this character is spoken."""
    if char in _SPOKEN_SIGNS or char.isnumeric():
        return True
    return (char.isalpha() or unicodedata.category(char) == "Sc") and not is_unsaid(char)


def has_speech(text: str) -> bool:
    """Return whether anything in the text can be spoken."""
    return any(map(is_speakable, text))


def joins_previous(char: str) -> bool:
    """Return whether this character belongs to the previous one: a mark, or a part of Hangul."""
    return unicodedata.category(char).startswith("M") or "\u1160" <= char <= "\u11ff"


class _Replacements:
    """Mapping for `str.translate`: normal spaces and line breaks, and `plain_form` of the rest."""

    def __getitem__(self, code_point: int) -> str:
        char = chr(code_point)
        if char in _LINE_BREAKS:
            return "\n"
        category = unicodedata.category(char)
        if category == "Zs" or char == "\t":
            return " "
        return "" if category[0] == "C" else plain_form(char)


def visible(text: str) -> str:
    """Return the text without control, zero width and unassigned characters.

    Digits of every script, and wide letters, are replaced by the ASCII ones.
    """
    return text.translate(_Replacements())


def plain(text: str) -> str:
    """Return the text `visible` and composed (NFC)."""
    return _composed(visible(text.replace("\r\n", "\n")))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", _TOO_MANY_MARKS.sub(r"\1", text))


def one_line(text: str) -> str:
    """Return the text made `plain`, with each run of white space as one space."""
    return " ".join(plain(text).split())


class Break(Enum):
    """White space before a word."""

    NONE = ""
    """None: it continues the previous word."""
    SPACE = " "
    LINE = "\n"
    """A line break, as an empty word: the sentence before it has ended."""
    BLOCK = "\n\n"
    """A blank line, or a line break before a list item or after a heading: the item before it has
    ended too."""


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters without white space."""

    before: Break
    text: str


class WordReader:
    """Converts pieces of text to words; the result does not depend on where the text was split."""

    def __init__(self) -> None:
        self._raw = ""  # the last character and its marks: more marks may follow
        self._after_return = False  # a "\n" now is part of "\r\n"
        self._buffer = "\n"  # the start of the text is the start of a line
        self._in_line = False  # whether a word has come since the last line break
        self._in_heading = False
        self._previous = ""
        self._cell_ended = False  # a comma stands between it and the next one of its line
        self._is_row = False  # whether the line begins with a bar
        self._quoted = False  # whether only ">" has come of the line

    @property
    def pending(self) -> str:
        """The start of a word that may go on, with the white space before it."""
        return self._buffer + self._raw

    def push(self, piece: str) -> Iterator[Word]:
        """Yield the words that ``piece`` completes."""
        self._raw += visible(self._one_break(piece))
        settled = self._settled()
        ready, self._raw = self._raw[:settled], self._raw[settled:]
        return self._words(_composed(ready))

    def pause(self) -> Iterator[Word]:
        """Yield the pending word too; what follows continues it without a gap."""
        rest, self._raw = self._raw, ""
        yield from self._words(_composed(rest))
        word = self._buffer.lstrip(" \n")
        gap = self._buffer[: len(self._buffer) - len(word)]
        if word:
            self._buffer = ""
            yield from self._word(gap, word)

    def finish(self) -> Iterator[Word]:
        """Yield the remaining words at the end of the text."""
        rest, self._raw = self._raw, ""
        return self._words(_composed(rest) + "\n")

    def _one_break(self, piece: str) -> str:
        """Return the piece with each line break as one character."""
        if not piece:
            return ""
        starts_within = self._after_return and piece.startswith("\n")
        self._after_return = piece.endswith("\r")
        return piece[starts_within:].replace("\r\n", "\n")

    def _settled(self) -> int:
        """Return where the last character of the raw text begins: more marks may follow it.

        White space does not wait, because no mark changes it, so a word is complete with its space.
        """
        if self._raw.endswith((" ", "\n")):
            return len(self._raw)
        at = max(len(self._raw) - 1, 0)
        while at > 0 and joins_previous(self._raw[at]):
            at -= 1
        if len(self._raw) - at > MAX_WORD_CHARS:  # a character with too many marks
            begin = at if joins_previous(self._raw[at]) else at + 1
            self._raw = self._raw[: begin + _MAX_MARKS]
        return at

    def _words(self, text: str) -> Iterator[Word]:
        self._buffer += text
        at = 0
        while found := _WORD.match(self._buffer, at):
            at = found.end()
            yield from self._word(found["gap"], found["word"])
        self._buffer = _shorten_gap(self._buffer[at:])
        if self._buffer.startswith("\n"):
            yield from self._line_break()

    def _line_break(self) -> Iterator[Word]:
        """End the line as soon as its line break is there, and once."""
        if self._in_line:
            self._in_line = False
            yield Word(Break.LINE, "")

    def _word(self, gap: str, word: str) -> Iterator[Word]:
        before = Break(gap[:1] and " ")
        if "\n" in gap:
            yield from self._line_break()
            self._cell_ended = self._quoted = False
            self._is_row = word.startswith("|")
        starts_item = False
        if "\n" in gap or self._quoted:
            if _QUOTE.fullmatch(word):
                self._quoted = True
                return
            word, starts_item = self._first(word)
        self._quoted = False
        if starts_item or gap.count("\n") > 1:
            before = Break.BLOCK
        word, ends_cell = self._of_cell(word) if "|" in word else (word, False)
        yield from self._written(before, self._unmarked(before, word), ends_cell=ends_cell)

    def _first(self, word: str) -> tuple[str, bool]:
        """Return the first word of a line without a bullet, and whether an item begins with it."""
        word = _QUOTE_OF_WORD.sub("", word)
        after_heading, self._in_heading = self._in_heading, False
        if _BULLET.fullmatch(word):
            self._in_heading = word.startswith("#")
            return "", True
        if self._quoted and word[:1].isdigit():
            word = f"> {word}"  # no quotation: "> 60 %"
        return word, after_heading or _NUMBERED.fullmatch(word) is not None

    def _unmarked(self, before: Break, word: str) -> str:
        word = _without_emphasis(word, continues=before is Break.NONE)
        if _EMOTICON.fullmatch(word) and not self._previous[-1:].isdigit():
            return ""
        return _without_asterisks(word, self._previous if before is Break.SPACE else "")

    def _written(self, before: Break, text: str, *, ends_cell: bool) -> Iterator[Word]:
        if text and self._cell_ended:
            if self._previous[-1:] not in _PUNCTUATION:
                yield Word(Break.NONE, ",")
            before = Break.SPACE if before is Break.NONE else before
        self._cell_ended = ends_cell or (self._cell_ended and not text)
        if text or not ends_cell:
            self._previous = text
            self._in_line = True
        if text or before is Break.BLOCK:
            yield Word(before, text)

    def _of_cell(self, word: str) -> tuple[str, bool]:
        """Return a word without the bars of a table, and whether its cell ends with it."""
        if not self._is_row and _BETWEEN_BARS.fullmatch(word):
            return word, False  # the absolute value of a number
        inside = word.strip("|")
        self._cell_ended |= self._in_line and word.startswith("|")
        if not inside.strip("-:=+|"):
            return "", self._in_line
        return _BARS.sub(", ", inside), word.endswith("|")


def _shorten_gap(text: str) -> str:
    """Return the text with leading white space reduced to its meaning."""
    rest = text.lstrip(" \n")
    gap = text[: len(text) - len(rest)]
    return ("\n" * min(gap.count("\n"), 2) or gap[:1]) + rest


def _without_emphasis(word: str, *, continues: bool) -> str:
    """Return the word without the marks of Markdown at its begin and end."""
    word = _EMPHASIS.sub("", word)
    return word if continues else _EMPHASIS_BEGIN.sub(r"\1", word)


def _without_asterisks(word: str, previous: str) -> str:
    """Return the word without Markdown's asterisks; those of arithmetic become times signs."""
    if "*" not in word:
        return word
    if word == "*" and previous[-1:].isalnum():
        return _TIMES
    return re.sub(r"(?<=\d)\*(?=\d)", _TIMES, word).replace("*", "")
