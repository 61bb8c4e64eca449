r"""Formulas between ``$``, ``\(`` or ``\[``, and commands of LaTeX outside of them."""

from __future__ import annotations

import re

from vieneu_core.text.markup.latex import ARGUED, FUNCTIONS, SIGNS, plain_math
from vieneu_core.text.markup.rule import MORE, Found, Outcome, Window

_MAX_INLINE, _MAX_DISPLAY = 300, 1000
_TEXT = re.compile(r"\\(?:text|mathrm|mbox|operatorname|textbf|textit|tag|ce)\s*\{[^{}]*(?:\}|$)")
_PROSE = re.compile(r"[^\W\d_]{2,}\s+[^\W\d_]{2,}(?:[\W\d_])")
_COMMAND = re.compile(r"\\[A-Za-z]*")
_FUNCTION = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(sorted(FUNCTIONS))})(?![A-Za-z])")
_FOREIGN = re.compile(r"[^\W\d_A-Za-z\u0370-\u03ff\u2080-\u209f\u2070-\u207f\u00b2\u00b3\u00b9]")
_SIGN = re.compile(r"[\\^_={}+×<>|]|(?<=\d)\s*[*/-]\s*\(")
_NUMBER = re.compile(r"[\d.,]+[A-Za-z]?")
_BRACED = re.compile(r"\s*(?:\[[^\[\]{}]{0,40}\])?\s*\{")
_BRACED_PART = re.compile(r"\s*(?:\[[^\[\]{}]{0,40}\]?)?\s*")
_NAME = re.compile(r"\\([A-Za-z]+)")
_TWO = frozenset({"frac", "dfrac", "tfrac", "cfrac", "binom"})
_RAISED = re.compile(r"[\w)]\^(?:\d+)?")


def dollar(window: Window) -> Outcome:
    """Read what begins with ``$``: a formula, or an amount of money, which is text."""
    text = window.text
    if text == "$" and not window.complete:
        return MORE
    if text.startswith("$$"):
        return _formula(window, 2, "$$", _MAX_DISPLAY)
    if window.last.isalnum() or text[1:2].isspace():
        return None
    return _formula(window, 1, "$", _MAX_INLINE)


def _formula(window: Window, begin: int, mark: str, most: int) -> Outcome:  # noqa: PLR0911 - as it is found
    text, waits = window.text, not window.complete
    at = begin
    while at < len(text):
        end = text.find(mark, at)
        part = text[begin:] if end < 0 else text[begin:end]
        if not _may_be_math(part, inline=mark == "$") or len(part) > most:
            return None
        if end < 0:
            return MORE if waits else None
        if end == begin or text[end - 1] == "\\":
            at = end + 1
            continue
        after = end + len(mark)
        if mark == "$":
            if after == len(text) and waits:
                return MORE
            if text[end - 1].isspace() or text[after : after + 1].isdigit():
                return None  # the next amount
            if not _is_math(part):
                return None
        return Found(after, plain_math(part))
    return MORE if waits else None


def _may_be_math(part: str, *, inline: bool) -> bool:
    """Return whether this can be the begin of a formula: not of prose."""
    rest = _TEXT.sub(" ", part)
    if inline and ("\n" in part or "\r" in part):
        return False
    rest = _FUNCTION.sub(" ", _COMMAND.sub(" ", rest))
    return not (_FOREIGN.search(rest) or _PROSE.search(rest))


def _is_math(part: str) -> bool:
    """Return whether a formula that begins like an amount of money is one."""
    if not part[0].isdigit():
        return True
    return bool(_SIGN.search(part) or _NUMBER.fullmatch(part))


def parenthesis(window: Window) -> Outcome:
    r"""Read ``\(…\)`` and ``\[…\]``."""
    text = window.text
    closing, most = (r"\)", _MAX_INLINE) if text[1] == "(" else (r"\]", _MAX_DISPLAY)
    end = text.find(closing, 2)
    part = text[2:] if end < 0 else text[2:end]
    if len(part) > most or not _may_be_math(part, inline=False):
        return None
    if end < 0:
        return None if window.complete else MORE
    return Found(end + 2, plain_math(part))


def command(window: Window) -> Outcome:  # noqa: PLR0911 - as it is found
    """Read a command of LaTeX that stands in the text."""
    text, waits = window.text, not window.complete
    named = _NAME.match(text)
    if named is None:
        return None
    if named.end() == len(text) and waits:
        return MORE
    name = named[1]
    if name in SIGNS:
        return Found(named.end(), f" {SIGNS[name]} " if len(name) > 1 else SIGNS[name])
    if name not in ARGUED:
        return None
    at = named.end()
    for _ in range(2 if name in _TWO else 1):
        braced = _BRACED.match(text, at)
        if braced is None:
            return MORE if waits and _BRACED_PART.fullmatch(text, at) else None
        end = _closing(text, braced.end())
        if end < 0:
            return MORE if waits and len(text) - braced.end() < _MAX_INLINE else None
        at = end + 1
    return Found(at, plain_math(text[:at]))


def _closing(text: str, at: int) -> int:
    """Return the index of the brace that closes the one before ``at``; -1 if there is none."""
    depth = 1
    for index in range(at, min(len(text), at + _MAX_INLINE)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return index
    return -1
