"""A sentence as Vietnamese syllables only, for a voice that can read nothing else.

The sentence is prepared already; what is left of foreign words, numbers and signs becomes syllables
here. Nothing is left out: what has no sound in Vietnamese is an error.
"""

from __future__ import annotations

import re
import unicodedata

from vieneu_core.errors import SynthesisFailedError
from vieneu_core.text.clean import is_speakable
from vieneu_core.text.rules.foreign_spelling import by_letters, by_rule
from vieneu_core.text.rules.foreign_words import PHRASES, WORDS
from vieneu_core.text.rules.numerals import LETTERS, cardinal, digit_by_digit
from vieneu_core.text.rules.rewrite import one_of
from vieneu_core.text.syllables import is_readable, sharpened
from vieneu_core.translatable import Translatable

_PHRASE = re.compile(rf"(?<!\w){one_of(PHRASES)}(?!\w)")
_PART = re.compile(r"[^\W\d_]+|\d+|\s+|.", re.DOTALL)
_MOST_DIGITS = 12
"""Of a number that is read as a whole."""
_BETWEEN_DIGITS = (
    (r"(?<=\d)\.(?=\d)", " chấm "),
    (r"(?<=\d),(?=\d)", " phẩy "),
    (r"(?<=\d):(?=\d)", " "),
    (r"(?<!\w)[-\u2212](?=\d)", " âm "),
)
_MARKS = ".,!?"
_SAME_MARK = {";": ",", ":": ",", "…": ".", "。": ".", "、": ",", "\N{EM DASH}": ","}
_SIGNS = {
    "%": "phần trăm",
    "&": "và",
    "@": "a còng",
    "+": "cộng",
    "=": "bằng",
    "#": "thăng",
    "*": "sao",
    "/": "trên",
    "<": "nhỏ hơn",
    ">": "lớn hơn",
    "×": "nhân",
    "÷": "chia",
    "±": "cộng trừ",
    "≤": "nhỏ hơn hoặc bằng",
    "≥": "lớn hơn hoặc bằng",
    "≈": "xấp xỉ",
    "≠": "khác",
    "→": "đến",
    "$": "đô la",
    "µ": "mi crô",
}


def vietnamese_words(sentence: str) -> str:
    """Return a sentence as lower-case Vietnamese syllables, spaces and the marks . , ! ?

    Raises:
        SynthesisFailedError: it has letters of a script that has no Vietnamese reading.
    """
    text = unicodedata.normalize("NFC", sentence.lower())
    for pattern, words in _BETWEEN_DIGITS:
        text = re.sub(pattern, words, text)
    text = _PHRASE.sub(lambda found: PHRASES[found[0]], text)
    said = " ".join(_said(part[0]) for part in _PART.finditer(text))
    said = re.sub(r"\s+(?=[.,!?])", "", " ".join(said.split()))
    return re.sub(r"(?<=[.,!?])[.,!?]+", "", said).lstrip(" .,!?")


def word_said(word: str) -> str:
    """Return a lower-case word of letters as Vietnamese syllables; empty if it has no Latin one."""
    if word in WORDS:
        return WORDS[word]
    if is_readable(word):
        return sharpened(word)
    if len(word) == 1:
        return by_letters(word) or by_rule(word)
    if joined := _joined(word):
        return joined
    return by_rule(word)


def _said(part: str) -> str:
    if part[0].isdecimal():
        return _number(part)
    if part[0].isalpha():
        said = word_said(part)
        if not said or not _is_latin(part):
            raise _unreadable(part)
        return said
    mark = _SAME_MARK.get(part, part)
    if mark in _MARKS:
        return mark
    if part in _SIGNS:
        return _SIGNS[part]
    if not part.isspace() and is_speakable(part):
        raise _unreadable(part)
    return " "


def _unreadable(part: str) -> SynthesisFailedError:
    """Return the error for letters without a Vietnamese sound; it names the script, not them."""
    script = unicodedata.name(part[0], "?").split()[0].capitalize()
    return SynthesisFailedError(
        Translatable("{script} letters have no Vietnamese reading.", script=script)
    )


def _number(digits: str) -> str:
    plain = "".join(str(unicodedata.decimal(digit)) for digit in digits)
    if len(plain) > _MOST_DIGITS or (plain.startswith("0") and len(plain) > 1):
        return digit_by_digit(plain)
    return cardinal(int(plain))


def _is_latin(word: str) -> bool:
    return all(
        char in LETTERS or unicodedata.name(char, "").startswith(("LATIN", "COMBINING", "MICRO"))
        for char in unicodedata.normalize("NFD", word)
    )


def _joined(word: str) -> str:
    """Return the syllables of a word that writes them together, such as karaoke; empty if none.

    A word that ends with a consonant and e is English, and so is one that ends with a syllable y:
    home is not "ho me", and legacy is not "le gác y".
    """
    if re.search(r"[^aeiouyăâêôơư]es?$", word):
        return ""
    best: dict[int, list[str]] = {0: []}
    for end in range(1, len(word) + 1):
        for start in range(max(end - 7, 0), end):
            if start in best and end not in best and is_readable(word[start:end]):
                best[end] = [*best[start], word[start:end]]
    found = best.get(len(word), [])
    if found[-1:] == ["y"] or [*map(len, found)].count(1) > 1:
        return ""
    return " ".join(map(sharpened, found))
