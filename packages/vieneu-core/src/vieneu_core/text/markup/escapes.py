r"""Backslashes: escaped characters, escaped line breaks (``\n``), formulas. Paths are kept.

A text that went through JSON or a template once too often has ``\n`` for its line breaks. It is
one where what follows is no word with the letter n: after a full stop, before a capital letter, or
before a syllable that takes no n.
"""

from __future__ import annotations

import re

from vieneu_core.text.markup.math import command, parenthesis
from vieneu_core.text.markup.rule import MORE, Found, Outcome, Window
from vieneu_core.text.syllables import is_syllable

_PATH = re.compile(
    r"(?:^|[\s\"'“(=])(?:[A-Za-z]:|\\\\[\w.]|%\w+%)(?:\\?(?:(?![.!?,;]\s)[^\n\r])*)?$"
    r"|\\\w\S*$"
)
"""Matches the text before a backslash within a path; its folders may have spaces."""
_SHARE = re.compile(r"\\\\[A-Za-z0-9]")
_ESCAPABLE = frozenset("`*_{}#+-.!|>~$\"'/&<:;,=%@^?()[]")
_BREAKS = {"n": "\n", "r": "\n", "t": " "}
_WORD = re.compile(r"[^\W\d_]+")
_MAX_WORD = 12
_UNICODE = re.compile(r"\\u([0-9A-Fa-f]{4})(?:\\u([dD][c-fC-F][0-9A-Fa-f]{2}))?")
_UNICODE_PART = re.compile(r"\\u[0-9A-Fa-f]{0,4}")
_PAIR_PART = re.compile(
    r"\\u[dD][89abAB][0-9A-Fa-f]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9A-Fa-f]?)?)?)?)?"
)
_SURROGATES = range(0xD800, 0xE000)
_LAST_HIGH = 0xDBFF


def backslash(window: Window) -> Outcome:  # noqa: PLR0911 - one for each kind
    """Read what begins with a backslash."""
    text, waits = window.text, not window.complete
    if len(text) == 1:
        return MORE if waits else None
    if _PATH.search(window.before):
        return None
    second = text[1]
    if second == "\\":
        return _twice(window)
    if second in "([" and (formula := parenthesis(window)) is not None:
        return formula
    if second in _ESCAPABLE:
        return Found(2, second)
    if second == "u" and (char := _unicode(window)) is not None:
        return char
    if not second.isascii() or not second.isalpha():
        return None
    if second in _BREAKS:
        return _line_break(window)
    return command(window)


def _twice(window: Window) -> Outcome:
    r"""Read ``\\n`` as ``\n``; a share of a network keeps its backslashes."""
    text = window.text
    if window.last == "" or window.last.isspace() or window.last in "\"'(":
        if len(text) == len(r"\\") and not window.complete:
            return MORE
        if _SHARE.match(text):
            return Found(2, text[:2])
    return Found(2, "\\", again=True)


def _line_break(window: Window) -> Outcome:  # noqa: PLR0911 - one for each reason
    r"""Read ``\n``, ``\r`` or ``\t``, if it is none of LaTeX's commands and no path."""
    text, second, waits = window.text, window.text[1], not window.complete
    if len(text) == len(r"\n") and waits:
        return MORE
    found = Found(2, _BREAKS[second])
    word = _WORD.match(text, 2)
    if word is None:
        return found
    if word.end() == len(text) and waits and len(word[0]) < _MAX_WORD:
        return MORE
    spaced = window.last.isspace()
    whole = second + word[0]
    if whole.isascii() and (spaced or len(whole) > len(r"\ne")):
        formula = command(window)
        if formula is not None:
            return formula
    if word[0][0].isupper() and not window.last.isupper():
        return found
    if window.last == "" or not window.last.isalnum():
        return found
    return found if is_syllable(word[0]) and not is_syllable(whole) else None


def _unicode(window: Window) -> Outcome:
    text = window.text
    found = _UNICODE.match(text)
    if _PAIR_PART.fullmatch(text) or _UNICODE_PART.fullmatch(text):
        undecided = found is None or int(found[1], 16) in _SURROGATES
        if undecided and not window.complete:
            return MORE
    if found is None:
        return None
    high = int(found[1], 16)
    if high not in _SURROGATES:
        return Found(len(r"\u0000"), chr(high))
    if found[2] is None or high > _LAST_HIGH:
        return None
    pair = chr(high) + chr(int(found[2], 16))
    return Found(found.end(), pair.encode("utf-16", "surrogatepass").decode("utf-16"))
