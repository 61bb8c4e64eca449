"""Entities of HTML: ``&nbsp;``, ``&#7841;``; also around a whole tag, as feeds write them."""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5

from vieneu_core.text.markup.rule import MORE, Found, Outcome, Window
from vieneu_core.text.markup.tag_names import KNOWN

_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));")
_PART = re.compile(r"&(?:amp;)*(?:#(?:\d{0,7}|[xX][0-9A-Fa-f]{0,6})|[A-Za-z][A-Za-z0-9]{0,31})?")
_SPACE = re.compile(r"&nbsp(?![A-Za-z0-9;=])")
_LESS = re.compile(r"&(?:amp;)*(?:lt|#0*60|#[xX]0*3[cC]);")  # feeds escape more than once
_GREATER = r"&(?:amp;)*(?:gt|#0*62|#[xX]0*3[eE]);"
_TAG = re.compile(rf"{_LESS.pattern}((?:(?!{_LESS.pattern}|{_GREATER})[^<>\n])*){_GREATER}")
_NAMED = re.compile(r"/?([A-Za-z][A-Za-z0-9_:-]{0,30})(?:[\s/&][^<>\n]*)?")
_WORDS = re.compile(r"[^\W\d][^<>\n.,:!?=|]{0,60}")
_LAST = 0x10FFFF


def entity(window: Window) -> Outcome:
    """Read what begins with ``&``."""
    text = window.text
    if space := _SPACE.match(text):
        if space.end() == len(text) and not window.complete:
            return MORE
        return Found(space.end(), " ")
    if less := _LESS.match(text):
        return _escaped_tag(window, less.end())
    if _PART.fullmatch(text) and not window.complete:
        return MORE
    found = _ENTITY.match(text)
    if found is None:
        return None
    char = _char(found)
    return None if char is None else Found(found.end(), char, again=True)


def _escaped_tag(window: Window, begin: int) -> Outcome:
    """Read ``&lt;b&gt;`` as a tag is read."""
    text = window.text
    if found := _TAG.match(text):
        return Found(found.end(), f"<{_decoded(found[1])}>", again=True)
    inside = text[begin:]
    named = _NAMED.fullmatch(inside)
    known = named is not None and (named[1].lower() in KNOWN or named.end(1) == len(inside))
    if not window.complete and (known or inside in {"", "/"} or _WORDS.fullmatch(inside)):
        return MORE
    return Found(begin, "<", again=True)


def _decoded(text: str) -> str:
    return _ENTITY.sub(lambda found: _char(found) or found[0], text)


def _char(found: re.Match[str]) -> str | None:
    decimal, hexadecimal, name = found.groups()
    if name is not None:
        return html5.get(f"{name};")
    number = int(decimal) if decimal is not None else int(hexadecimal, 16)
    if not 0 < number <= _LAST or 0xD800 <= number < 0xE000:  # noqa: PLR2004 - surrogates
        return None
    return unescape(found[0]) or " "
