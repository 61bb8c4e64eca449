"""Words for symbols, for an engine that reads letters and numbers but skips symbols."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

from vieneu_core.text.rules.characters import SPOKEN
from vieneu_core.text.rules.money import CURRENCIES
from vieneu_core.text.rules.numerals import NUMBER
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

_LARGEST_DENOMINATOR = 1_000
_VIETNAMESE = {
    **{sign: name for sign, name in CURRENCIES.items() if len(sign) == 1 and sign != "$"},
    "°": "độ",
    "‰": SPOKEN["‰"].strip(),
}
# What eSpeak's English voices do not name themselves.
_ENGLISH = {
    "‰": "per mille",
    "฿": "baht",
    "៛": "riel",
    "₡": "colones",
    "₣": "francs",
    "₤": "lira",
    "₦": "naira",
    "₪": "shekels",
    "₫": "dong",
    "₭": "kip",
    "₮": "tugrik",
    "₱": "pesos",
    "₲": "guarani",
    "₴": "hryvnia",
    "₵": "cedi",
    "₸": "tenge",
    "₺": "lira",
    "₼": "manat",
    "₽": "rubles",
    "₾": "lari",
    "₿": "bitcoin",
}


def _rules(names: dict[str, str]) -> tuple[Rewrite, ...]:
    signs = one_of(names)
    return (
        rewrite(rf"(?<!\w)({signs})\s?({NUMBER})", lambda m: f" {m[2]} {names[m[1]]} "),
        rewrite(signs, lambda m: f" {names[m[0]]} "),
    )


def _vietnamese_fraction(value: Fraction) -> str:
    below = "tư" if value.denominator == 4 else value.denominator  # noqa: PLR2004 - quarters
    return f"{value.numerator} phần {below}"


def _english_fraction(value: Fraction) -> str:
    return f"{value.numerator} over {value.denominator}"


_FRACTIONS: dict[str, tuple[str, Callable[[Fraction], str]]] = {
    "vi": (" và ", _vietnamese_fraction),
    "en": (" and ", _english_fraction),
}
_RULES = {"vi": _rules(_VIETNAMESE), "en": _rules(_ENGLISH)}
_NOT_ASCII_NUMBER = re.compile(r"[^\W\d_a-zA-Z]")


def symbols_said(text: str, language: str) -> str:
    """Return a text with currencies, degrees, per mille and fractions as words.

    Args:
        text: The text.
        language: ``vi`` or ``en``, the language of the voice.
    """
    for rule in _RULES[language]:
        text = rule(text)
    return _NOT_ASCII_NUMBER.sub(lambda found: _fraction(found, language), text)


def _fraction(found: re.Match[str], language: str) -> str:
    value = unicodedata.numeric(found[0], 0.0)
    if unicodedata.category(found[0]) != "No" or value.is_integer():
        return found[0]
    gap, words = _FRACTIONS[language]
    before = found.string[: found.start()]
    spoken = words(Fraction(value).limit_denominator(_LARGEST_DENOMINATOR))
    return f"{gap if before[-1:].isdecimal() else ' '}{spoken} "
