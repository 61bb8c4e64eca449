"""Code in Markdown.

Inline code keeps its words, and nothing in it is markup. A fenced block that names a programming
language is left out: read aloud it helps nobody. One that names none, or a kind of text, is spoken.
"""

from __future__ import annotations

import re

from vieneu_core.text.markup.rule import MORE, Code, Found, Outcome, Skip, Window

_RUN = re.compile(r"(`+|~+)")
_FENCE_CHARS = 3
_MAX_INFO = 100
_INFO = re.compile(rf"[^`\n\r]{{0,{_MAX_INFO}}}")
_LANGUAGE = re.compile(r"\{?[.]?[A-Za-z][A-Za-z0-9+#._:/-]{0,40}\}?(?:\s+[^\s=]*[={:][^\n\r]*)?")
_TEXTS = (
    "text txt plain plaintext md markdown quote poem email message vi vn vietnamese en english"
    " output"
)
_SPOKEN = frozenset(_TEXTS.split())
LINE_START = re.compile(r"(?:^|[\n\r])[ \t>]*(?:(?:[-*+•]|\d{1,3}[.)])[ \t]+)?$")
"""Matches the text before a character that is the first of its line, or of its list item."""


def code(window: Window) -> Outcome:
    """Read what begins with a back-tick or a tilde."""
    run = _RUN.match(window.text)
    if run is None:
        return None
    if run.end() == len(window.text) and not window.complete:
        return MORE
    mark = run[0]
    if len(mark) >= _FENCE_CHARS and LINE_START.search(window.before):
        found = _fence(window, mark)
        if found is not None:
            return found
    if mark[0] == "~":
        return Found(len(mark), mark) if len(mark) > 1 else None
    return Found(len(mark), then=Code(mark, fenced=False))


def _fence(window: Window, mark: str) -> Outcome:
    text = window.text
    info = _INFO.match(text, len(mark))
    end = len(mark) if info is None else info.end()
    if end == len(text) and not window.complete and end - len(mark) < _MAX_INFO:
        return MORE
    if end < len(text) and text[end] not in "\n\r":
        return None
    words = text[len(mark) : end].strip()
    if not words or words.lower() in _SPOKEN:
        return Found(end, then=Code(mark, fenced=True))
    if not _LANGUAGE.fullmatch(words):
        return None
    closing = re.compile(rf"[\n\r][ \t>]*{mark[0]}{{{len(mark)},}}[ \t]*(?=[\n\r])")
    return Found(end, "\n", then=Skip(closing, 200, spared=False))


def code_end(window: Window, within: Code) -> Outcome:
    """Read the back-ticks or tildes in code; ``Found`` if they end it."""
    run = _RUN.match(window.text)
    if run is None or run[0][0] != within.mark[0]:
        return None
    end, waits = run.end(), not window.complete
    if end == len(window.text) and waits:
        return MORE
    if not within.fenced:
        return Found(end) if run[0] == within.mark else None
    if len(run[0]) < len(within.mark) or not LINE_START.search(window.before):
        return None
    rest = window.text[end:]
    blank = rest[: len(rest) - len(rest.lstrip(" \t"))]
    if rest == blank and waits:
        return MORE
    return Found(end + len(blank)) if rest[len(blank) :][:1] in {"", "\n", "\r"} else None
