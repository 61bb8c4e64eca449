"""Digits, letters and numbers as Vietnamese words."""

from __future__ import annotations

import re

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
LETTERS = {
    "a": "a",
    "ă": "á",
    "â": "ớ",
    "b": "bê",
    "c": "xê",
    "d": "đê",
    "đ": "đê",
    "e": "e",
    "ê": "ê",
    "f": "ép",
    "g": "gờ",
    "h": "hát",
    "i": "i",
    "j": "di",
    "k": "ca",
    "l": "lờ",
    "m": "mờ",
    "n": "nờ",
    "o": "ô",
    "ô": "ô",
    "ơ": "ơ",
    "p": "pê",
    "q": "quy",
    "r": "rờ",
    "s": "ét",
    "t": "tê",
    "u": "u",
    "ư": "ư",
    "v": "vê",
    "w": "vê kép",
    "x": "ích",
    "y": "y",
    "z": "dét",
}
"""Vietnamese letter names: FPT is "ép pê tê"."""
ENGLISH_LETTERS = {
    "a": "ây",
    "b": "bi",
    "c": "xi",
    "d": "đi",
    "e": "i",
    "f": "ép",
    "g": "gi",
    "h": "ếch",
    "i": "ai",
    "j": "giây",
    "k": "cây",
    "l": "eo",
    "m": "em",
    "n": "en",
    "o": "âu",
    "p": "pi",
    "q": "kiu",
    "r": "a",
    "s": "ét",
    "t": "ti",
    "u": "iu",
    "v": "vi",
    "x": "ích",
    "y": "oai",
    "z": "dét",
    "w": "đắp liu",
}
"""English letter names as Vietnamese speakers say them: CEO is "xi i âu"."""
NUMBER = r"\d{1,15}(?:[.,]\d{1,12}){0,6}"

_BILLION = 1_000_000_000
_MOST_DIGITS = 15
"""A longer number without separators is a code."""
_MARKS = {".": "chấm", ",": "phẩy"}
_FORMS = (
    # pattern, separator of thousands, decimal mark
    (re.compile(r"(?!0)\d{1,3}(?:\.\d{3})+(?:,\d+)?"), ".", ","),
    (
        re.compile(r"(?!0)\d{1,3}(?:,\d{3})+\.\d+|(?!0)\d{1,3}(?:,\d{3}){2,}|(?!0)\d{1,3},000"),
        ",",
        ".",
    ),
    (re.compile(r"\d+(?:,\d+)?"), ".", ","),
    (re.compile(r"\d+\.\d+"), ",", "."),
)
"""Forms of a number, the likelier one first."""


def digit_by_digit(text: str) -> str:
    """Return the digits in a text as words, one by one; omit everything else."""
    return " ".join(DIGITS[int(char)] for char in text if char in "0123456789")


def spelled(text: str) -> str:
    """Return the letters and digits of a text by their Vietnamese names."""
    names = (LETTERS.get(char) or digit_by_digit(char) for char in text.lower())
    return " ".join(filter(None, names))


def english_spelled(text: str) -> str:
    """Return the letters and digits of a text by their English names, as Vietnamese says them."""
    names = (ENGLISH_LETTERS.get(char) or digit_by_digit(char) for char in text.lower())
    return " ".join(filter(None, names))


def cardinal(number: int) -> str:
    """Return a number in words; 105 is "một trăm lẻ năm", a million million "một nghìn tỷ"."""
    billions, rest = divmod(number, _BILLION)
    if billions:
        return f"{cardinal(billions)} tỷ {_groups(rest, after_more=True)}".strip()
    return _groups(rest, after_more=False) or DIGITS[0]


def _groups(number: int, *, after_more: bool) -> str:
    """Return a number below a billion in words, group by group of three digits; zero is empty."""
    said: list[str] = []
    for power, scale in ((2, " triệu"), (1, " nghìn"), (0, "")):
        group = number // 1000**power % 1000
        if group:
            said.append(_below_thousand(group, full=after_more or bool(said)) + scale)
    return " ".join(said)


def _below_thousand(number: int, *, full: bool) -> str:
    hundreds, rest = divmod(number, 100)
    if not (hundreds or full):
        return _below_hundred(rest)
    head = f"{DIGITS[hundreds]} trăm"
    if rest == 0:
        return head
    return f"{head} lẻ {DIGITS[rest]}" if rest < 10 else f"{head} {_below_hundred(rest)}"  # noqa: PLR2004 - one digit


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    if tens == 0:
        return DIGITS[ones]
    head = "mười" if tens == 1 else f"{DIGITS[tens]} mươi"
    if ones == 0:
        return head
    if ones == 1 and tens > 1:
        return f"{head} mốt"
    return f"{head} lăm" if ones == 5 else f"{head} {DIGITS[ones]}"  # noqa: PLR2004 - the digit 5


def said_number(written: str) -> str:
    """Return a written number in words, with its thousands and decimals in either convention.

    "1.234,5" and "1,234.5" are the same; "0.125", "3.14" and "1,234" have decimals, "1.234" and
    "1,234,567" have thousands; "007" and what has more digits than any quantity are read digit by
    digit, and so is each part of anything else.
    """
    for pattern, thousands, decimal in _FORMS:
        if pattern.fullmatch(written):
            whole, _, part = written.replace(thousands, "").partition(decimal)
            mark = _MARKS[written[-len(part) - 1]] if part else ""
            return f"{_whole(whole)} {mark} {_decimals(part)}".strip() if part else _whole(whole)
    parts = re.split(r"([.,])", written)
    return " ".join(_MARKS.get(part) or _whole(part) for part in parts if part)


def _whole(digits: str) -> str:
    if len(digits) > _MOST_DIGITS or (digits.startswith("0") and len(digits) > 1):
        return digit_by_digit(digits)
    return cardinal(int(digits))


def _decimals(digits: str) -> str:
    """Read decimals one by one; two of them end as a number does: 1,75 is "bảy lăm"."""
    said = digit_by_digit(digits)
    ends_like_a_number = len(digits) == 2 and digits[0] != "0" and digits[1] == "5"  # noqa: PLR2004 - one or two digits
    return said.removesuffix("năm") + "lăm" if ends_like_a_number else said
