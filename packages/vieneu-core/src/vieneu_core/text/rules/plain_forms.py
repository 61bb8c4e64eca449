"""Plain forms of characters: digits of every script, numbers in one character, wide letters."""

from __future__ import annotations

import unicodedata

_SAME_SHAPE = ("<wide>", "<font>", "<small>")
_SMALL = ("<super>", "<sub>")
_SIGNS = "%&@$¢£¥₩"


def plain_form(char: str) -> str:
    """Return what a character stands for: a digit, a number between spaces, a letter or a sign.

    Any other character is returned as it is; so are fractions, superscripts and subscripts.
    """
    category, form = unicodedata.category(char), unicodedata.decomposition(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in {"No", "Nl"} and not form.startswith(_SMALL):
        return _whole_number(char, is_letter=category == "Nl", has_form=bool(form))
    if form.startswith(_SAME_SHAPE):
        shape = unicodedata.normalize("NFKC", char)
        return shape if shape.isalnum() or shape in _SIGNS else char
    return char


def _whole_number(char: str, *, is_letter: bool, has_form: bool) -> str:
    value = unicodedata.numeric(char, 0.5)
    if not value.is_integer():
        return char
    if is_letter:  # Roman numerals have a form in Latin letters; ideographs do not
        return f"{value:.0f}" if has_form else char
    return f" {value:.0f} "
