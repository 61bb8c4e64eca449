"""Ranges, times, dates and units, where the library reads them wrong."""

from __future__ import annotations

import re

from vieneu_core.text.numerals import NUMBER, cardinal
from vieneu_core.text.rewriting import Rewrite, rewrite

_DASH = r"\s?[-\u2013~]\s?"
_TIME = r"\d{1,2}(?:[:hg]\d{2}|h|g)"
_NOON, _EVENING, _APRIL = 12, 6, 4
_COUNTED = (
    r"(?:ngày|đêm|tuần|tháng|năm|giờ|phút|giây|tiếng|người|lần|cái|con|chiếc|bạn|trẻ|độ|bước)"
)
_DAY_WORDS = (
    "ngày|lễ|dịp|sáng|trưa|chiều|tối|đêm|hôm|mùng|khánh|hạn|trước|nghỉ|nay|qua|mai|hết|kể từ"
)
_UNITS = {
    "Mbps": "mê ga bít trên giây",
    "Gbps": "gi ga bít trên giây",
    "Kbps": "ki lô bít trên giây",
    "kbps": "ki lô bít trên giây",
    "MB": "mê ga bai",
    "GB": "gi ga bai",
    "TB": "tê ra bai",
    "KB": "ki lô bai",
    "V": "vôn",
    "mAh": "mi li am pe giờ",
    "dB": "đề xi ben",
    "lux": "lux",
    "ppm": "phần triệu",
    "hPa": "héc tô pát can",
    "mmHg": "mi li mét thủy ngân",
    "rpm": "vòng trên phút",
    "inch": "inh",
    "MHz": "mê ga héc",
    "GHz": "gi ga héc",
    "kHz": "ki lô héc",
    "MW": "mê ga oát",
    "kVA": "ki lô vôn am pe",
    "mA": "mi li am pe",
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))


def _half_day(match: re.Match[str]) -> str:
    hour = int(match[1])
    minutes = "" if match[2] in (None, "00") else f" {int(match[2])} phút"
    if match[3].upper().startswith("A"):
        part = "sáng"
    elif hour == _NOON:
        part = "trưa"
    else:
        part = "tối" if hour >= _EVENING else "chiều"
    return f"{hour} giờ{minutes} {part}"


def _times(match: re.Match[str]) -> str:
    return f"{match[1]} đến {match[2]}"


def _weekdays(match: re.Match[str]) -> str:
    return f"thứ {match[1]} đến {'chủ nhật' if match[2] == 'CN' else f'thứ {match[3]}'}"


def _date(match: re.Match[str]) -> str:
    return f"{match[1]} ngày {match[2]} tháng {_month(match[3])}"


def _dates(match: re.Match[str]) -> str:
    first, second = _month(match[2]), _month(match[4])
    return f"ngày {match[1]} tháng {first} đến ngày {match[3]} tháng {second}"


def _month(number: str) -> str:
    return "tư" if int(number) == _APRIL else number


def _measured(match: re.Match[str]) -> str:
    # A whole number goes as words: beside words without marks the library counts in English.
    number = cardinal(int(match[1])) if match[1].isdigit() else match[1]
    return f"{number} {_UNITS[match[2]]}"


MEASURES: tuple[Rewrite, ...] = (
    rewrite(r"(?<!\w)((?i:quý)) ([1-4])/((?:19|20)\d{2})(?!\d)", r"\1 \2 năm \3"),
    rewrite(rf"(?<![\w.,/-])(\d{{1,4}}){_DASH}(\d{{1,4}}) (?={_COUNTED}(?!\w))", r"\1 đến \2 "),
    rewrite(r"(?<=\d) : (?=\d)", " chia "),
    rewrite(
        r"(?<![\w./,])(?:(?i:tháng)\s)?(1[0-2]|0?[1-9])/((?:19|20)\d{2})(?![\w/]|[.,]\d)",
        r"tháng \1 năm \2",
    ),
    rewrite(r"(?<![\w:.,])(1[0-2]|0?[1-9])(?::([0-5]\d))?\s?([AaPp]\.?[Mm])\.?(?!\w)", _half_day),
    rewrite(rf"(?<![\w:.,])({_TIME}){_DASH}({_TIME})(?![\w:])", _times),
    rewrite(r"(?<![\d:])(\d{1,2}):00(?![:\d])", r"\1 giờ"),
    rewrite(r"(?<![\d:])(\d{1,2})h00(?!\d)", r"\1 giờ"),
    rewrite(r"(?<!\w)T([2-7])\s?[-\u2013]\s?(CN|T([2-7]))(?!\w)", _weekdays),
    rewrite(
        rf"(?i:(?<!\w)({_DAY_WORDS})) (\d{{1,2}})/(\d{{1,2}})(?![/\d]| (?:ly|cốc|phần))",
        _date,
    ),
    rewrite(r"(?<!\w)(ngày) ngày(?!\w)", r"\1"),
    rewrite(
        r"(?<![\w.,/-])(\d{1,2})/(\d{1,2})\s?[-\u2013]\s?(\d{1,2})/(\d{1,2})(?![\d/])",
        _dates,
    ),
    rewrite(rf"(?<![\w.,/-])({NUMBER})~({NUMBER})(?![\w-])", r"\1 đến \2"),
    rewrite(r"(?<!\w)~\s?(?=\d)", "khoảng "),
    rewrite(r"(?<=\d)'(?!\w|')", " phút"),
    rewrite(rf"({NUMBER})\s?({_UNIT})(?![\w²³])", _measured),
    rewrite(r"(?<=\d)\s?°(?=\s|[.,!?]|$)", " độ"),
)
