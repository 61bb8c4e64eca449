"""Normalization of a written sentence to spoken words: "2/9" becomes "ngày hai tháng chín".

The library sea-g2p does most of it. Its mistakes are avoided by rewriting the text first, each kind
of expression in its own module, to words that it does not change.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from vieneu_core.errors import EmptyTextError, MissingExtraError
from vieneu_core.text.rules.abbreviations import ABBREVIATIONS
from vieneu_core.text.rules.acronyms import ACRONYMS
from vieneu_core.text.rules.characters import SQUARES, only_words, readable
from vieneu_core.text.rules.dates import DATES
from vieneu_core.text.rules.document_numbers import CODES
from vieneu_core.text.rules.measures import MEASURES, RANGES
from vieneu_core.text.rules.money import MONEY
from vieneu_core.text.rules.numerals import (
    COUNTS,
    DIGITS,
    FRACTIONS,
    NUMBERS,
    ROMAN_NUMERALS,
    SIGNS,
)
from vieneu_core.text.rules.telephone import TELEPHONE_NUMBERS
from vieneu_core.text.rules.times import TIMES
from vieneu_core.text.rules.web import ADDRESSES, VERSIONS

# The order matters: longer and less ambiguous expressions come first.
_REWRITES = (
    *SQUARES,
    *ADDRESSES,
    *VERSIONS,
    *CODES,
    *ROMAN_NUMERALS,
    *DATES,
    *NUMBERS,
    *TELEPHONE_NUMBERS,
    *TIMES,
    *RANGES,
    *MONEY,
    *MEASURES,
    *ABBREVIATIONS,
    *ACRONYMS,
    *FRACTIONS,
    *SIGNS,
    *COUNTS,
)
_TAG = re.compile(r"</?[a-z]{1,10}>")
_DIGIT = re.compile(r"\d")
_PANIC = "PanicException"
"""Exception of pyo3, in which the library is written; it is no `Exception`, and not importable."""
_SHORTEST_CUT = 20


class Normalizer:
    """Converts sentences to words. Blocking, a few milliseconds each.

    Raises:
        MissingExtraError: sea-g2p is not installed.
    """

    def __init__(self) -> None:
        try:
            library: Any = import_module("sea_g2p")
        except ImportError as error:
            raise MissingExtraError("Reading Vietnamese", "model") from error
        self._normalize = library.Normalizer(lang="vi").normalize

    def __call__(self, sentence: str) -> str:
        """Return the words of a sentence: lower-case letters, spaces and . , ! ? only.

        Raises:
            EmptyTextError: nothing in it can be spoken.
        """
        text = readable(sentence)
        for rewrite in _REWRITES:
            text = rewrite(text)
        words = only_words(_without_digits(_TAG.sub(" ", self._converted(text))))
        if not any(map(str.isalpha, words)):
            raise EmptyTextError("The sentence has nothing that can be pronounced.")
        return words

    def _converted(self, text: str) -> str:
        """Convert a text with the library; split it where the library fails.

        It raises a panic if a pattern takes too long, such as "1.1.1." a hundred times.
        """
        try:
            return str(self._normalize(text))
        except BaseException as error:
            if type(error).__name__ != _PANIC:
                raise
        if len(text) <= _SHORTEST_CUT:
            return " ".join(text)
        at = text.rfind(" ", 1, len(text) // 2 + 1)
        at = at if at > 0 else len(text) // 2
        return f"{self._converted(text[:at])} {self._converted(text[at:])}"


def _without_digits(text: str) -> str:
    """Replace remaining digits by words, one by one, so that none is lost."""
    return _DIGIT.sub(lambda digit: f" {_name(digit[0])} ", text)


def _name(digit: str) -> str:
    return DIGITS[int(digit)]
