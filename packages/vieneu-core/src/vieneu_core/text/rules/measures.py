"""Ranges, scores, ratios and units that the library reads wrongly."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import NUMBER, cardinal
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

_COUNTED = (
    r"(?:ngày|đêm|tuần|tháng|năm|giờ|phút|giây|tiếng|người|lần|cái|con|chiếc|bạn|trẻ|độ|bước)"
)
_UNITS = {
    "Mbps": "mê ga bít trên giây",
    "Gbps": "gi ga bít trên giây",
    "Kbps": "ki lô bít trên giây",
    "kbps": "ki lô bít trên giây",
    "Mb/s": "mê ga bít trên giây",
    "MB/s": "mê ga bai trên giây",
    "GB/s": "gi ga bai trên giây",
    "MB": "mê ga bai",
    "GB": "gi ga bai",
    "TB": "tê ra bai",
    "KB": "ki lô bai",
    "V": "vôn",
    "VDC": "vôn đê xê",
    "VAC": "vôn a xê",
    "kΩ": "ki lô ôm",
    "mAh": "mi li am pe giờ",
    "mA": "mi li am pe",
    "dB": "đề xi ben",
    "lux": "lux",
    "lm": "lu men",
    "ppm": "phần triệu",
    "hPa": "héc tô pát can",
    "kPa": "ki lô pát can",
    "mmHg": "mi li mét thủy ngân",
    "rpm": "vòng trên phút",
    "bpm": "nhịp trên phút",
    "fps": "khung hình trên giây",
    "inch": "inh",
    "MHz": "mê ga héc",
    "GHz": "gi ga héc",
    "kHz": "ki lô héc",
    "MW": "mê ga oát",
    "kVA": "ki lô vôn am pe",
    "MP": "mê ga pích xeo",
    "cc": "xê xê",
    "L": "lít",
    "m3/s": "mét khối trên giây",
    "m³/s": "mét khối trên giây",
    "m/s2": "mét trên giây bình phương",
}
_PLAIN_UNITS = {
    "kg": "ki lô gam",
    "km": "ki lô mét",
    "km/h": "ki lô mét trên giờ",
    "cm": "xen ti mét",
    "mm": "mi li mét",
    "ml": "mi li lít",
    "ha": "héc ta",
    "kW": "ki lô oát",
    "kWh": "ki lô oát giờ",
}
"""Read correctly between Vietnamese words, but in English between others."""
_UNIT, _PLAIN_UNIT = one_of(_UNITS), one_of(_PLAIN_UNITS)
_RANGED = (
    r"(?:k|K|kg|g|mg|km|km/h|m|m2|m²|m3|m³|cm|mm|ml|l|lít|W|kW|kWh|A|ha|%|°C|°F|°|đ|đồng|tr|triệu|tỷ"
    rf"|tỉ|nghìn|ngàn|USD|\$|€|s|p|phút|giờ|độ|tuổi|{_UNIT})"
)
"""Units at both ends of a range, or only at its end."""
_YEAR = r"(?:1[5-9]|20)\d\d"
_RATIO = r"(?i:tỷ lệ|tỉ lệ)"
_SCORE = r"(?i:tỷ số|tỉ số|thắng|thua|hòa|hoà|dẫn|dẫn trước)"
_LENGTHS = {"km": "ki lô mét", "m": "mét", "cm": "xen ti mét", "dm": "đề xi mét"}
_SIDES = {"B": "bắc", "Đ": "đông", "E": "đông", "T": "tây", "W": "tây", "N": "bắc", "S": "nam"}
# A slash between words joins two choices; before one of these units it means "per".
_PER = re.compile(
    r"giờ|phút|giây|ngày|đêm|tuần|tháng|quý|năm|mùa|người|lần|kg|km|lít|cái|chiếc|con|bó|thùng|hộp"
    r"|gói|vé|suất|chuyến|lượt|hộ|tấn|tạ|buổi|tiết|học|trận|ca|ml|cm|mm|mg|dl|bộ|căn|phòng|trang",
    re.IGNORECASE,
)

_OPENING = re.compile(r"(?<!\w)'(?=\w)")


def _score(match: re.Match[str]) -> str:
    """Read 3-1 without a word between: a range does not decrease."""
    first, second = match[1], match[2]
    return match[0] if int(first) < int(second) else f"{first}, {second}"


def _measured(match: re.Match[str]) -> str:
    # A whole number becomes words: between words without accents the library counts in English.
    number = cardinal(int(match[1])) if match[1].isdigit() else match[1]
    return f"{number} {_UNITS.get(match[2]) or _PLAIN_UNITS[match[2]]}"


def _inches(match: re.Match[str]) -> str:
    """Read 55" as inches, unless the mark closes a quotation."""
    opened = match.string.count('"', 0, match.start()) % 2
    return f"{match[1]}, " if opened and match[2] == '"' else f"{match[1]} inh"


def _minutes(match: re.Match[str]) -> str:
    return ", " if _OPENING.search(match.string, 0, match.start()) else " phút"


def _position(match: re.Match[str]) -> str:
    degrees, minutes, seconds, side = match.groups()
    words = f"{degrees} độ {int(minutes)} phút"
    words += f" {seconds} giây" if seconds else ""
    return f"{words} {_SIDES[side]}" if side else words


def _either(match: re.Match[str]) -> str:
    left, right = match[1], match[2]
    is_rate = _PER.fullmatch(right) or _PER.fullmatch(left)
    return match[0] if is_rate else f"{left} {right}"


RANGES: tuple[Rewrite, ...] = (
    rewrite(rf"(?<![\w.,/-])({_YEAR})\s?-\s?({_YEAR})(?![\w/-]|[.,]\d)", r"\1 đến \2"),
    rewrite(r"/(km|m|cm|dm)[2²](?!\w)", lambda m: f" trên {_LENGTHS[m[1]]} vuông"),
    rewrite(rf"(?<![\w.,/-])(\d{{1,4}})\s?[-~]\s?(\d{{1,4}}) (?={_COUNTED}(?!\w))", r"\1 đến \2 "),
    rewrite(rf"(?<![\w.,/-])({NUMBER})\s?[-~]\s?({NUMBER}\s?{_RANGED}(?!\w))", r"\1 đến \2"),
    rewrite(rf"(\d\s?({_RANGED}))\s?[-~]\s?(?={NUMBER}\s?\2(?!\w))", r"\1 đến "),
    rewrite(rf"({_RATIO}(?: là)?) (\d{{1,3}}):(\d{{1,3}})(?![\w:])", r"\1 \2 trên \3"),
    rewrite(rf"({_SCORE}(?: với)?) (\d{{1,2}})\s?[:-]\s?(\d{{1,2}})(?![\w:-])", r"\1 \2, \3"),
    rewrite(
        r"(?<![\w.,/:-])(\d{1,2})\s?-\s?(\d{1,2})(?![\w/%°:-]|[.,]\d|\s?[=-])",
        _score,
    ),
    rewrite(r"(?<=\d) : (?=\d)|(?<=\d):(?=\d{1,3}\s?=)", " chia "),
    rewrite(rf"(?<![\w.,/-])({NUMBER})~({NUMBER})(?![\w-])", r"\1 đến \2"),
    rewrite(r"(?<!\w)~\s?(?=\d)", "khoảng "),
)
MEASURES: tuple[Rewrite, ...] = (
    rewrite(r"(?<=\d)\s?o\s?(?=[CF](?!\w))", "°"),
    rewrite(
        r"(?<!\w)(\d{1,3})°\s?(\d{1,2})'(?:\s?(\d{1,2}(?:[.,]\d{1,3})?)\")?\s?([BĐTNSEW](?!\w))?",
        _position,
    ),
    rewrite(rf"({NUMBER})\s?(\"|'')(?![\w\"])", _inches),
    rewrite(r"(?<=\d)'(?!\w|')", _minutes),
    rewrite(r"(?<!\w)(480|720|1080|1440|2160)[pP](?!\w)", lambda m: f"{cardinal(int(m[1]))} pê"),
    rewrite(r"(?:(?<=V/)|(?<=dòng )|(?<=dòng điện ))(\d{1,3}(?:[.,]\d)?)\s?A(?!\w)", r"\1 am pe"),
    rewrite(rf"({NUMBER})\s?({_UNIT})(?![\w²³])", _measured),
    rewrite(rf"({NUMBER})\s?({_PLAIN_UNIT})(?![\w²³/])", _measured),
    rewrite(r"(?<=\d)\s?°(?=\s|[.,!?]|$)", " độ"),
    rewrite(r"(?<![\w/])(?<!\d )([^\W\d_µ²³]{2,15})/([^\W\d_µ²³]{2,15})(?![\w/])", _either),
)
