"""Ranges, scores, ratios and units that the library reads wrongly."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import NUMBER, cardinal
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite
from vieneu_core.text.rules.units import UNITS

_COUNTED = (
    r"(?:ngày|đêm|tuần|tháng|năm|giờ|phút|giây|tiếng|người|lần|cái|con|chiếc|bạn|trẻ|độ|bước)"
)
_RANGED = (
    r"(?:k|K|kg|g|mg|km|km/h|m|m2|m²|m3|m³|cm|mm|ml|l|lít|W|kW|kWh|A|ha|%|°C|°F|°|đ|đồng|tr|triệu"
    r"|tỷ"
    rf"|tỉ|nghìn|ngàn|USD|\$|€|s|p|phút|giờ|độ|tuổi|{one_of(UNITS)})"
)
"""Units at both ends of a range, or only at its end."""
_YEAR = r"(?:1[5-9]|20)\d\d"
_RATIO = r"(?i:tỷ lệ|tỉ lệ)"
_SCORE = r"(?i:tỷ số|tỉ số|thắng|thua|hòa|hoà|dẫn|dẫn trước)"
_LENGTHS = {"km": "ki lô mét", "m": "mét", "cm": "xen ti mét", "dm": "đề xi mét"}
_ELECTRIC = r"dòng|dòng điện|tải|aptomat|áp tô mát|cb|cầu dao|cầu chì|sạc|nguồn|ampe|ổ cắm|dây"
_WHOLES = {"m": "mét", "kg": "ki lô gam"}
_SIDES = {"B": "bắc", "Đ": "đông", "E": "đông", "T": "tây", "W": "tây", "N": "bắc", "S": "nam"}
_AMOUNTS = frozenset(("đồng", "nghìn", "ngàn", "triệu", "tỷ", "la", "rô", "xu"))
_EACH = (
    r"cái|chiếc|con|bó|thùng|hộp|gói|vé|suất|chuyến|lượt|bộ|quả|trái|tô|bát|ly|cốc|chai|lon|cây"
    r"|cuốn|quyển"
    r"|tờ|đôi|cặp|bữa|lượng|chỉ|đĩa|dĩa|ổ|miếng|lát|bao|túi|căn|tập|bài|tiết|trận|viên|hũ|lọ|nải"
    r"|chục"
    r"|ký|cân|lạng|khay|vỉ|tuýp|sào"
    r"|bàn"
)
"""After an amount and a slash: the price of one of them."""
# A slash between words joins two choices; before one of these units it means "per".
_PER = re.compile(
    r"giờ|phút|giây|ngày|đêm|tuần|tháng|quý|năm|mùa|người|lần|kg|km|lít|cái|chiếc|con|bó|thùng|hộp"
    r"|gói|vé|suất|chuyến|lượt|hộ|tấn|tạ|buổi|tiết|học|trận|ca|ml|cm|mm|mg|dl|bộ|căn|phòng|trang",
    re.IGNORECASE,
)

_ARITHMETIC = re.compile(r"\d\s?[+÷×]\s?\d|\d\s?=")
_OPENING = re.compile(r"(?<!\w)'(?=\w)")


def _is_name_before(match: re.Match[str]) -> bool:
    """Return whether the word before a score is a name."""
    word = re.search(r"([^\W\d_]+)$", match.string[: match.start()])
    return word is not None and word[1][0].isupper()


def _score(match: re.Match[str]) -> str:
    """Read 3-1 without a word between: a range does not decrease."""
    first, second = match[1], match[2]
    if _ARITHMETIC.search(match.string):
        return f"{first} trừ {second}"
    return match[0] if int(first) < int(second) else f"{first}, {second}"


def _increasing(match: re.Match[str]) -> str:
    first, second = (float(re.sub(r"[.,]", "", number)) for number in match.groups())
    return f"{match[1]} đến {match[2]}" if first < second else match[0]


def _digits(match: re.Match[str]) -> str:
    return " ".join(cardinal(int(number)) for number in re.split(r"\s?-\s?", match[0]))


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
    if right in UNITS:
        return match[0]
    if re.fullmatch(_EACH, right) and left in _AMOUNTS:
        return f"{left} một {right}"
    is_rate = _PER.fullmatch(right) or _PER.fullmatch(left)
    return f"{left} {'trên' if is_rate else ''} {right}"


RANGES: tuple[Rewrite, ...] = (
    # a formation, a lock's digits, lessons: three numbers or more are no range
    rewrite(
        r"(?<![\w.,/:-])\d{1,2}(?:\s?-\s?\d{1,2}){2,5}(?![\w/%°:-]|[.,]\d|\s?[=-])",
        _digits,
    ),
    # Arsenal 1-3 Chelsea
    rewrite(
        r"(?<=[^\W\d]) (\d{1,2})\s?[-–]\s?(\d{1,2})(?= [A-ZĐÀ-Ỹ][^\W\d])",
        lambda m: f" {m[1]}, {m[2]}" if _is_name_before(m) else m[0],
    ),
    rewrite(rf"(?<=\d )({_EACH}) [xX×] (?=\d)", r"\1 nhân "),
    # sizes: 60x40x30, 3m x 5m
    rewrite(
        r"(?<=\d)\s?[xX×]\s?(?=\d)|(?<=\d[mM])\s?[xX×]\s?(?=\d)|(?<=[cmk]m)\s?[xX×]\s?(?=\d)",
        " nhân ",
    ),
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
    rewrite(
        rf"(?<![\w.,/:-])({NUMBER})\s?-\s?({NUMBER})(?![\w/%°:-]|[.,]\d|\s?[=-])",
        _increasing,
    ),
    rewrite(r"(?<=\d) : (?=\d)|(?<=\d):(?=\d{1,3}\s?=)", " chia "),
    rewrite(rf"(?<![\w.,/])({NUMBER})~(-?{NUMBER})(?![\w-])", r"\1 đến \2"),
    rewrite(r"(?<=\dV)~", " "),
    rewrite(r"(?<!\w)~\s?(?=\d)", "khoảng "),
)
MEASURES: tuple[Rewrite, ...] = (
    rewrite(r"(?<=\d)\s?o\s?(?=[CF](?!\w))", "°"),
    rewrite(r"(?<!\w)[tT]°(?![\wCF])", "nhiệt độ"),
    rewrite(r"(?<=\d)\s?vg?/(?=phút)", " vòng/"),
    rewrite(r"(?<=nhịp tim )(\d{1,3}) ?l/p(?!\w)", r"\1 lần trên phút"),
    rewrite(r"(?<= (?:vòng|nhịp)) / (?=phút|giây|giờ)|(?<= lần) / (?=phút|giây|giờ)", " trên "),
    rewrite(r"(?<=\d)°\s?([BĐTNSEW])(?!\w)", lambda m: f" độ {_SIDES[m[1]]}"),
    rewrite(
        r"(?<!\w)((?i:tôi|em|anh|chị|bé|con|cháu|bạn|mình|mẹ|bố|ông|bà)(?: \w+)?) (\d{1,3})t(?!\w)",
        r"\1 \2 tuổi",
    ),
    rewrite(
        r"(?<!\w)(\d{1,3})°\s?(\d{1,2})'(?:\s?(\d{1,2}(?:[.,]\d{1,3})?)\")?\s?([BĐTNSEW](?!\w))?",
        _position,
    ),
    rewrite(rf"({NUMBER})\s?(\"|'')(?![\w\"])", _inches),
    rewrite(r"(?<=\d)'(?!\w|')", _minutes),
    rewrite(r"(?<!\w)(480|720|1080|1440|2160)[pP](?!\w)", lambda m: f"{cardinal(int(m[1]))} pê"),
    rewrite(
        rf"((?:\d\s?V(?:DC|AC)?|(?i:{_ELECTRIC}))(?!\w)"
        rf"(?:[^.;!?\d]{{0,20}}[\s/])?)({NUMBER})\s?A(?!\w)",
        r"\1\2 am pe",
    ),
    # 1m75, 1kg2
    rewrite(
        r"(?<![\w.,])(\d{1,3})(m(?![23](?!\d))|kg)(\d{1,2})(?!\w)",
        lambda m: f"{cardinal(int(m[1]))} {_WHOLES[m[2]]} {cardinal(int(m[3]))}",
    ),
    rewrite(r"(?<=\d)\s?°(?=\s|[.,!?]|$)", " độ"),
    rewrite(r"(?<![\w/])(?<!\d )([^\W\d_µ²³]{2,15})/([^\W\d_µ²³]{2,15})(?![\w/])", _either),
    # RAM 3.2/8GB
    rewrite(rf"(?<=\d)/(?={NUMBER}\s?[KMGT]B(?!\w))", " trên "),
    rewrite(rf"\s?/\s?(?=(?:{_EACH})(?!\w))", " một "),
    rewrite(rf"\s?/(?=(?:{_PER.pattern})(?!\w))", " trên "),
)
