"""Fractions and signs before numbers."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import cardinal, digit_by_digit, spelled
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_FORMULA = re.compile(r"[=^√±]")


def _fraction(match: re.Match[str]) -> str:
    above, below = match[1], match[2]
    if int(above) >= int(below) or (below in ("10", "100") and above != "1"):
        return f"{above} trên {below}"  # a score or a ratio: 8/10, 24/7, 50/50
    return f"{above} phần {'tư' if below == '4' else below}"


def _plain(match: re.Match[str]) -> str:
    return cardinal(int(match[0]))


def _thousandths(match: re.Match[str]) -> str:
    return f"0 chấm {digit_by_digit(match[1])}"


def _minus(match: re.Match[str]) -> str:
    """Read the minus of a formula: 3 x - 2 y = 5."""
    if not _FORMULA.search(match.string):
        return match[0]
    return f"{match[1]} trừ " if match[1] else " âm "


NUMBERS: tuple[Rewrite, ...] = (
    rewrite(
        r"((?<![^\s(=+])[a-z]|(?<=\d)[xyz]|\^\w{1,3}|(?<=[xyzabcn])[²³]|(?<=\w)\))\s?-\s?"
        r"(?=\d{1,4}(?: ?[a-z])?(?!\w)|[a-z](?!\w)|\()|(?<![^\s(=])-(?=[a-z](?!\w))",
        _minus,
    ),
    rewrite(
        r"(?<![\w.,])(?<!\d )[1-9]\d{0,2}(?: 000){1,4}(?! ?\d|\w|[.,]\d)",
        lambda m: m[0].replace(" ", ""),
    ),
    # English thousands: three zeros are no decimals
    rewrite(r"(?<![\w.,])\d{1,3}(?:,000){1,4}(?!\w|[.,]\d)", lambda m: m[0].replace(",", "")),
    rewrite(
        r"(?<![\w.,])(?!1[89]00\d{4}(?!\d|\s?(?:đ|VN|USD)))[1-9]\d{3,8}000(?!\w|[.,]\d)", _plain
    ),
    rewrite(r"(?<![\w.,])0\.(\d{3})(?![.,]?\d)", _thousandths),
    rewrite(r"(?<=\d)\s?\*\s?(?=\d)", " \u00d7 "),
)

FRACTIONS: tuple[Rewrite, ...] = (
    # number of a house or a class: with a slash, however small
    rewrite(
        r"(?<!\w)((?i:số|nhà|hẻm|ngõ|ngách|kiệt|lô|lớp|tổ|căn|tập|trang|bước|mức|tốc độ|tiến độ))"
        r" (\d{1,4})/(?=\d{1,4}(?![\w/]))",
        r"\1 \2 trên ",
    ),
    rewrite(r"(?<![\d/.,])50/50(?![\d/])", "năm mươi năm mươi"),
    rewrite(r"(?<![\w/.,])(\d)\s(?=\d/\d(?![\d/]))", r"\1 và "),
    rewrite(r"(?<=\d)\s?(?=[\u00bc-\u00be\u2150-\u215e])", " và "),
    rewrite(r"(?<![\w/.,])(\d{1,3})/(\d{1,2}|100|1000)(?![\w/]|[.,]\d)", _fraction),
    rewrite(r"(?<![\w/.,])(\d{1,4})/(\d{1,6})(?![\w/]|[.,]\d)", r"\1 trên \2"),
    rewrite(r"(?<=\d)\s?/\s?(?=\d+(?:[.,]\d)?(?![\w/]))", " trên "),
    rewrite(r"(?<=\d)/(\d{1,4})([A-Z])(?!\w)", lambda m: f"/{m[1]} {spelled(m[2])}"),
)

SIGNS: tuple[Rewrite, ...] = (
    rewrite(r"(?:(?<=^)|(?<=[\s(:=]))-(?=\d)", "âm "),
    rewrite(r"(?<=[sS]ố )#(?=\d)", ""),
    rewrite(r"(?<![\w#])#\s?(?=\d)|(?<!\w)N[oº°]\.?\s?(?=\d)", "số "),
)
