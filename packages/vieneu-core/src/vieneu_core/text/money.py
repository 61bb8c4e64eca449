"""Sums of money."""

from __future__ import annotations

import re

from vieneu_core.text.numerals import NUMBER
from vieneu_core.text.rewriting import Rewrite, one_of, rewrite

CURRENCIES = {
    "$": "đô la",
    "US$": "đô la Mỹ",
    "USD": "đô la Mỹ",
    "€": "ơ rô",
    "EUR": "ơ rô",
    "£": "bảng Anh",
    "GBP": "bảng Anh",
    "¥": "yên",
    "JPY": "yên Nhật",
    "₩": "uôn",
    "KRW": "uôn",
    "CNY": "nhân dân tệ",
    "AUD": "đô la Úc",
    "SGD": "đô la Sing ga po",
    "฿": "bạt",
    "₫": "đồng",
    "VNĐ": "đồng",
    "VND": "đồng",
    "vnđ": "đồng",
}
_SIGN = one_of(CURRENCIES)
_SCALE = r"(?:\s?(?:nghìn|ngàn|triệu|tỷ|tỉ|tr|k|K))?"


def _before(match: re.Match[str]) -> str:
    return f"{match[2]} {CURRENCIES[match[1]]}"


def _after(match: re.Match[str]) -> str:
    return f"{match[1]} {CURRENCIES[match[2]]}"


def _rest(match: re.Match[str]) -> str:
    """Read 1tr5 as a million and a half, 2tr350 as two million three hundred and fifty thousand."""
    more = match[2]
    if more == "5":
        return f"{match[1]} triệu rưỡi"
    if len(more) == 3:  # noqa: PLR2004 - thousands are written whole
        return f"{match[1]} triệu {more} nghìn"
    return f"{match[1]} triệu {more}"


MONEY: tuple[Rewrite, ...] = (
    rewrite(r"(?<![\w.,])(\d{1,4})tr(\d{1,3})(?!\w)", _rest),
    rewrite(rf"(?<!\w)({_SIGN})\s?({NUMBER}{_SCALE})(?!\w)", _before),
    rewrite(rf"(?<![\w.,])({NUMBER}{_SCALE})\s?({_SIGN})(?!\w)", _after),
    rewrite(rf"(?<![\w.,])({NUMBER})\s?tr(?!\w)", r"\1 triệu"),
    # 4K and 8K are pictures, not prices.
    rewrite(rf"(?<![\w.,])(?![248]K)({NUMBER})[kK](?!\w)", r"\1 nghìn"),
    rewrite(r"(?<=\d)\s?đ/(?=[a-zđ])", " đồng trên "),
    rewrite(rf"({NUMBER})\s?đ(?!\w)", r"\1 đồng"),
)
