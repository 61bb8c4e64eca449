"""Square brackets in Markdown: links, images, footnotes, references, task boxes.

Of a link its label is kept, of an image its description. A bracket that is none of these is text.
"""

from __future__ import annotations

import re

from vieneu_core.text.markup.code import LINE_START
from vieneu_core.text.markup.rule import MORE, Found, Outcome, Skip, Window

_MAX_LABEL = 300
_URL = r"(?:<[^<>\n]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)"
_TITLE = r"""(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\))"""
_TARGET = re.compile(rf"\(\s*({_URL})(?:\s+{_TITLE})?\s*\)")
_TARGET_PART = re.compile(
    rf"\(\s*(?:<[^<>\n]*|{_URL}(?:\([^\s()<>]*)?"
    rf"(?:\s+(?:\"[^\"\n]*|'[^'\n]*|\([^()\n]*|{_TITLE}\s*)?)?)?"
)
_DATA = re.compile(r"\(\s*<?data:", re.IGNORECASE)
_DATA_END = re.compile(r"[^A-Za-z0-9+/=;:,%._~-]")
_URL_LIKE = re.compile(r"<|[#/?.]|[a-z][a-z0-9+.-]*:|[^\s]*[/.#?=@:_\d]|$", re.IGNORECASE)
_REFERENCE = re.compile(r"\[([a-z0-9_-]{0,40})\]")
_REFERENCE_PART = re.compile(r"\[[a-z0-9_-]{0,40}")
_DEFINED = re.compile(r":[ \t]+(?:<?(?:https?://|mailto:|www\.|/|#|\./)[^\n\r]*)")
_DEFINED_PART = re.compile(
    r":[ \t]*(?:<?(?:h(?:t(?:t(?:p(?:s)?(?::(?:/)?)?)?)?)?|m(?:a(?:i(?:l(?:t(?:o)?)?)?)?)?"
    r"|w(?:w(?:w)?)?|\.)?)?|:[ \t]+<?(?:https?://|mailto:|www\.|/|#|\./)[^\n\r]*"
)
_NOTE = re.compile(r"\[\^[^\]\s]{1,60}\](:?)")
_NOTE_PART = re.compile(r"\[(?:\^[^\]\s]{0,60}\]?)?")
_BOX = re.compile(r"\[[ xX-]\](?=\s)")
_BOX_PART = re.compile(r"\[(?:[ xX-]\]?)?")
_CALLOUT = re.compile(r"\[![A-Za-z]{2,20}\][+-]?")
_CALLOUT_PART = re.compile(r"\[(?:![A-Za-z]{0,20}\]?)?")
_CITED = re.compile(r"\[\d{1,3}(?:\s?[,\u2013-]\s?\d{1,3}){0,9}\]")
_CITED_AFTER = re.compile(r"(?:[^\W\d_]{2}|\d|[.,;:!?)\"”])$")
_SOURCE = re.compile(r"【[^【】\n]{1,100}】")
_SOURCE_PART = re.compile(r"【[^【】\n]{0,100}")
_CITES = re.compile(r"【\d|【[^】]*†")
_THINK, _THINK_END = "[THINK]", re.compile(r"\[/THINK\]")
_KIMI, _KIMI_END = "◁think▷", re.compile("◁/think▷")


def bracket(window: Window) -> Outcome:
    """Read what begins with ``[`` or ``![``."""
    text = window.text
    if text[0] == "!":
        if text == "!" and not window.complete:
            return MORE
        return _linked(window, 1) if text.startswith("![") else None
    for rule in (_marked, _boxed, _called_out, _thought):
        found = rule(window)
        if found is not None:
            return found
    return _linked(window, 0)


def _part(window: Window, part: re.Pattern[str]) -> Outcome:
    return MORE if part.fullmatch(window.text) and not window.complete else None


def _marked(window: Window) -> Outcome:
    """Leave out the mark of a footnote."""
    found = _NOTE.match(window.text)
    if found is None:
        return _part(window, _NOTE_PART)
    if LINE_START.search(window.before):
        if found.end() == len(window.text) and not window.complete and not found[1]:
            return MORE
        return Found(found.end())
    return Found(found.end() - len(found[1]))


def _boxed(window: Window) -> Outcome:
    """Leave out the box of a task."""
    if not LINE_START.search(window.before) or not window.before[-1:].isspace():
        return None
    found = _BOX.match(window.text)
    return _part(window, _BOX_PART) if found is None else Found(found.end())


def _called_out(window: Window) -> Outcome:
    if not LINE_START.search(window.before):
        return None
    found = _CALLOUT.match(window.text)
    if found is None:
        return _part(window, _CALLOUT_PART)
    if found.end() == len(window.text) and found[0].endswith("]") and not window.complete:
        return MORE
    return Found(found.end(), "\n")


def _thought(window: Window) -> Outcome:
    if window.text.startswith(_THINK):
        return Found(len(_THINK), "\n", then=Skip(_THINK_END, 10))
    return MORE if _THINK.startswith(window.text) and not window.complete else None


def _label_end(text: str, begin: int) -> int | None:
    """Return the index of the bracket that closes the label; -1 if it is not there yet."""
    depth = 0
    at = begin
    while at < len(text) and at - begin <= _MAX_LABEL:
        char = text[at]
        if char in "\n\r":
            return None
        if char == "\\":
            at += 1
        depth += (char == "[") - (char == "]")
        if depth == 0:
            return at
        at += 1
    return -1 if at >= len(text) and at - begin <= _MAX_LABEL else None


def _linked(window: Window, begin: int) -> Outcome:
    """Read a link, an image, a reference or a citation."""
    text, waits = window.text, not window.complete
    end = _label_end(text, begin)
    if end is None:
        return None
    if end < 0 or end + 1 == len(text):
        if waits:
            return MORE
        return _cited(window) if end > 0 else None
    label, rest = text[begin + 1 : end], text[end + 1 :]
    found: Outcome = None
    if rest[0] == "(":
        found = _target(window, label, rest)
    elif rest[0] == "[" and begin == 0:
        found = _reference(window, label, rest)
    elif rest[0] == ":" and begin == 0 and LINE_START.search(window.before):
        found = _definition(window, rest)
    elif label[:1] == "[" and label[-1:] == "]" and rest[0] == "]":
        found = None
    return _cited(window) if found is None else found


def _target(window: Window, label: str, rest: str) -> Outcome:
    head = len(window.text) - len(rest)
    if data := _DATA.match(rest):
        kept = window.text[: head + 1]
        return Found(head + data.end(), then=Skip(_DATA_END, 1, put_back=kept, spared=True))
    target = _TARGET.match(rest)
    if target is not None:
        if not _URL_LIKE.match(target[1]):
            return None
        return Found(head + target.end(), label, again=True)
    if not _TARGET_PART.fullmatch(rest):
        return None
    if not window.complete:
        return MORE
    url = rest[1:].strip()
    return Found(len(window.text), label, again=True) if url and _URL_LIKE.match(url) else None


def _reference(window: Window, label: str, rest: str) -> Outcome:
    """Read ``[label][1]``; but ``[1][2]`` are two citations."""
    if label.isdigit():
        return None
    found = _REFERENCE.match(rest)
    if found is not None:
        return Found(len(window.text) - len(rest) + found.end(), label, again=True)
    return MORE if _REFERENCE_PART.fullmatch(rest) and not window.complete else None


def _definition(window: Window, rest: str) -> Outcome:
    """Leave out the line that says where a reference leads."""
    found = _DEFINED.match(rest)
    end = 0 if found is None else found.end()
    if end < len(rest) and found is not None:
        return Found(len(window.text) - len(rest) + end)
    if not window.complete:
        return MORE if found is not None or _DEFINED_PART.fullmatch(rest) else None
    return None if found is None else Found(len(window.text))


def _cited(window: Window) -> Outcome:
    """Leave out the number of a source that is attached to a word."""
    found = _CITED.match(window.text)
    return Found(found.end()) if found and _CITED_AFTER.search(window.before) else None


def bracket_end(window: Window) -> Outcome:
    """Read what begins with ``]``: the target of a link whose label was taken for text."""
    text = window.text
    if text in {"]", "]]"}:
        return None if window.complete else MORE
    if text.startswith("]]>"):
        return Found(3)
    if not text.startswith("](") or "[" not in window.before:
        return None
    target = _TARGET.match(text, 1)
    if target is not None:
        plain = target[1].startswith(("http://", "https://", "www.", "/", "#"))
        return Found(target.end()) if plain else None
    return MORE if _TARGET_PART.fullmatch(text, 1) and not window.complete else None


def source(window: Window) -> Outcome:
    """Leave out ``【12†source】``, the way a language model cites."""
    found = _SOURCE.match(window.text)
    if found is not None:
        return Found(found.end()) if _CITES.match(found[0]) else None
    return _part(window, _SOURCE_PART)


def kimi_reasoning(window: Window) -> Outcome:
    """Leave out ``◁think▷…◁/think▷``."""
    if window.text.startswith(_KIMI):
        return Found(len(_KIMI), "\n", then=Skip(_KIMI_END, 10))
    return MORE if _KIMI.startswith(window.text) and not window.complete else None
