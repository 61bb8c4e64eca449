"""Tags of HTML and SSML, comments, and special tokens of language models.

Only what is certain to be a tag is left out: a known name, or the form of a tag with attributes.
``x<y`` is a comparison, and of ``<Cửa chính>`` the words are kept.
"""

from __future__ import annotations

import re

from vieneu_core.text.markup.rule import MORE, Found, Outcome, Skip, Window
from vieneu_core.text.markup.tag_names import (
    BOOLEAN,
    CELLS,
    KNOWN,
    LINES,
    PARAGRAPHS,
    REASONING,
    UNSPOKEN,
)

_NAME = r"[A-Za-z][A-Za-z0-9_]*(?:[:-][A-Za-z0-9_]+)*"
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>=`]+)"""
_KEY = r"[A-Za-z_:@][A-Za-z0-9_.:@-]*"
_ATTRIBUTE = rf"(?:{_KEY}\s*=\s*{_VALUE}|(?:{BOOLEAN})(?=[\s/>]))"
_NAMED = re.compile(rf"<(/?)({_NAME})")
_NAME_PART = re.compile(r"</?[A-Za-z][A-Za-z0-9_:-]{0,40}")
_TAG = re.compile(
    rf"</?{_NAME}(?P<attributes>(?:\s+{_ATTRIBUTE})*)\s*(?P<empty>/?)>", re.IGNORECASE
)
_UNFINISHED_VALUE = r"""(?:"[^"]*|'[^']*|[^\s"'<>=`]*)"""
_PART = re.compile(
    rf"</?{_NAME}(?:\s+{_ATTRIBUTE})*"
    rf"(?:\s+(?:{_KEY}\s*(?:=\s*{_UNFINISHED_VALUE})?)?)?\s*/?",
    re.IGNORECASE,
)
_WITH_VALUE = re.compile(rf"<{_NAME}\s(?:[^<>]*\s)?{_KEY}\s*=", re.DOTALL)
_DATA = re.compile(rf"(</?{_NAME}(?:\s+{_ATTRIBUTE})*\s+{_KEY}\s*=\s*[\"']?)data:", re.IGNORECASE)
_DATA_URI = re.compile(r"[^A-Za-z0-9+/=;:,%._~-]")
_VALUES = re.compile(rf"({_KEY})\s*=\s*({_VALUE})")

_DECLARATION = re.compile(r"<[!?][A-Za-z][^<>]{0,1000}>")
_DECLARATION_PART = re.compile(r"<[!?](?:[A-Za-z][^<>]{0,1000})?")
_COMMENT, _CDATA = "<!--", "<![CDATA["
_TOKEN = re.compile(r"<[|\uff5c]([^<>|\uff5c\s]{1,40})[|\uff5c]>")
_TOKEN_PART = re.compile(r"<[|\uff5c](?:[^<>|\uff5c\s]{1,40}[|\uff5c]?)?")
_CHANNEL = "<|channel|>"
_PRIVATE = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)")
_PUBLIC = re.compile(r"<\|channel\|>\s*final(?=<)")
_CHANNEL_PART = re.compile(r"<\|channel\|>\s*[a-z]{0,10}")
_ADDRESS = re.compile(r"<((?:(?:https?|ftp)://|mailto:|www\.)[^\s<>]+|[\w.+-]+@[\w.-]+\.\w+)>")
_ADDRESS_PART = re.compile(
    r"<(?:(?:(?:https?|ftp)://|mailto:|www\.)[^\s<>]*|[A-Za-z0-9_.+-]{1,64}(?::/?|@[\w.-]*)?)"
)
_WORDS = re.compile(r"<([^\W\d][^<>\n.,;:!?=|]{0,60})(?<! )>(?= ?)")
_WORDS_PART = re.compile(r"<[^\W\d][^<>\n.,;:!?=|]{0,60}")
_COMPARED = re.compile(r" ?\d")

_SUPERSCRIPT = re.compile(r"<sup(?:\s[^<>]*)?>\s*([^<>\s]{1,12})\s*</sup\s*>", re.IGNORECASE)
_SUPERSCRIPT_PART = re.compile(
    r"<sup(?:\s[^<>]*)?>\s*[^<>\s]{0,12}\s*(?:<(?:/(?:s(?:u(?:p)?)?)?)?)?", re.IGNORECASE
)
_RAISED = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_NOTED = re.compile(r"[^\W\d_]{3,}[.,;:!?)]?$")


def tag(window: Window) -> Outcome:  # noqa: PLR0911 - one for each kind
    """Read what begins with ``<``."""
    text = window.text
    if text.startswith(_COMMENT):
        return Found(len(_COMMENT), then=Skip(re.compile("-->"), 3))
    if text.startswith(_CDATA):
        return Found(len(_CDATA))
    if _COMMENT.startswith(text) or _CDATA.startswith(text):
        return None if window.complete else MORE
    second = text[1]
    if second in "|\uff5c":
        return _token(window)
    if second in "!?":
        return _form(window, _DECLARATION, _DECLARATION_PART)
    named = _NAMED.match(text)
    if named is None:
        return MORE if text == "</" and not window.complete else _words(window)
    if _NAME_PART.fullmatch(text) and not window.complete:
        return MORE
    found = _named(window, named[2].lower(), closes=bool(named[1]))
    return _words(window) if found is None else found


def _form(window: Window, whole: re.Pattern[str], part: re.Pattern[str]) -> Outcome:
    """Leave out what has this form."""
    found = whole.match(window.text)
    if found is not None:
        return Found(found.end())
    return MORE if part.fullmatch(window.text) and not window.complete else None


def _token(window: Window) -> Outcome:
    """Leave out a special token, such as ``<|im_end|>``, and what is not for the listener."""
    text = window.text
    if not text.startswith(_CHANNEL):
        return _form(window, _TOKEN, _TOKEN_PART)
    if found := _PRIVATE.match(text):
        return Found(found.end(), "\n", then=Skip(re.compile(r"<\|(?:end|return|call)\|>"), 16))
    if found := _PUBLIC.match(text):
        return Found(found.end())
    if _CHANNEL_PART.fullmatch(text) and not window.complete:
        return MORE
    return Found(len(_CHANNEL))


def _named(window: Window, name: str, *, closes: bool) -> Outcome:  # noqa: PLR0911 - as it is found
    text = window.text
    is_tag = closes or name in KNOWN or _WITH_VALUE.match(text) is not None
    if data := _DATA.match(text):  # its kilobytes are read past, not kept
        return Found(data.end(), then=Skip(_DATA_URI, 1, put_back=data[1], spared=True))
    if found := _TAG.match(text):
        if not is_tag:
            return None
        if name == "sup" and not closes:
            return _superscript(window, found)
        return _meaning(found, name, closes=closes)
    if not _PART.fullmatch(text):
        return None
    if not window.complete:
        return MORE
    if not _WITH_VALUE.match(text):
        return None
    return Found(len(text), then=None if window.ended else Skip(re.compile(">"), 1))


def _meaning(found: re.Match[str], name: str, *, closes: bool) -> Found:  # noqa: PLR0911 - one for each kind
    length, opens = found.end(), not closes and not found["empty"]
    if name in UNSPOKEN:
        end = re.compile(rf"</\s*{name}\s*>", re.IGNORECASE)
        return Found(length, "\n", then=Skip(end, 80) if opens else None)
    if name in PARAGRAPHS:
        return Found(length, "\n\n")
    if name in LINES:
        return Found(length, "\n")
    if name in CELLS:
        return Found(length, " | ")
    values = {key.lower(): value.strip("\"'") for key, value in _VALUES.findall(found[0])}
    if name == "img" and values.get("alt"):
        return Found(length, f" {values['alt']} ", again=True)
    if name == "sub" and opens and values.get("alias"):
        return Found(length, values["alias"], then=Skip(re.compile(r"</sub\s*>", re.IGNORECASE)))
    return Found(length)


def _superscript(window: Window, tag: re.Match[str]) -> Outcome:
    """Keep an exponent, as in ``m<sup>2</sup>``; leave out the number of a footnote."""
    found = _SUPERSCRIPT.match(window.text)
    if found is None:
        if _SUPERSCRIPT_PART.fullmatch(window.text) and not window.complete:
            return MORE
        return Found(tag.end())
    raised = found[1].strip("[]")
    if raised.isdigit() and (raised != found[1] or _NOTED.search(window.before)):
        return Found(found.end())
    if all(char in "0123456789+-n" for char in raised):
        return Found(found.end(), raised.translate(_RAISED))
    return Found(tag.end())


def _words(window: Window) -> Outcome:
    """Keep an address or some words in angle brackets, without the brackets."""
    text, waits = window.text, not window.complete
    if found := _ADDRESS.match(text):
        return Found(found.end(), found[1])
    if window.last.isalnum() or not _WORDS_PART.match(text):
        return MORE if waits and _ADDRESS_PART.fullmatch(text) and text != "<" else None
    found = _WORDS.match(text)
    if found is None:
        part = _WORDS_PART.fullmatch(text) or _ADDRESS_PART.fullmatch(text)
        return MORE if waits and part else None
    after = text[found.end() :]
    if waits and after in {"", " "}:
        return MORE
    if after[:1].isalnum() or _COMPARED.match(after):
        return None
    return Found(found.end(), found[1], again=False)


def end_of_reasoning(text: str) -> int:
    """Return where an answer begins whose reasoning has no opening tag; 0 if it has none."""
    found = _REASONING.search(text)
    return found.end() if found is not None and found[2] and not found[1] else 0


_REASONING = re.compile(rf"(`?)<(/?)(?:{'|'.join(sorted(REASONING))})\s*>", re.IGNORECASE)
