"""Dates, months, quarters and weekdays in the forms used in Vietnamese."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import cardinal
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_MONTH = r"(?:1[0-2]|0?[1-9])"
_YEAR = r"(?:1[5-9]|20|21)\d{2}"
_LUNAR = r"(?:ÂL|âl|AL|DL|dl|âm lịch|dương lịch|âm(?! \d)|dương)"
_LUNAR_NAMES = {
    "âm": "âm lịch",
    "dương": "dương lịch",
    "âl": "âm lịch",
    "al": "âm lịch",
    "dl": "dương lịch",
}
_BEGIN, _END = r"(?<![\w.,/-])", r"(?![\w/]|[.,-]\d)"
_MONTHS = {4: "tư"}
_ENGLISH_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_ENGLISH_MONTH = rf"(?:{'|'.join(_ENGLISH_MONTHS)})[a-z]{{0,6}}\.?"
_LAST_MONTH, _CENTURY_BEFORE = 12, 70
# A fraction or a place may look like a date, but not after one of these words.
_BEFORE_A_DATE = (
    r"lễ|dịp|sáng|trưa|chiều|tối|đêm|hôm|hôm qua|hôm nay|ngày mai|rằm|khánh|hạn|nghỉ|kể từ|tết"
    r"|kỷ niệm|kỉ niệm|mừng|thứ (?:hai|ba|tư|năm|sáu|bảy)|thứ [2-7]|chủ nhật"
    r"|\d{1,2}(?:h\d{0,2}|:\d\d)"
)
_NO_DATE_BEHIND = re.compile(
    r"số|nhà|hẻm|ngõ|ngách|kiệt|lô|lớp|tổ|căn|phòng|lệ|đạt|được|điểm|áp|bài|đề|mạch|thắng|thua",
    re.IGNORECASE,
)
_NO_DATE_BEFORE = (
    r"(?! (?:điểm|ly|cốc|phần|sao|người|học|trận|môn|câu|số|diện|quãng|lít|cái|giờ|chặng|đại|phiếu"
    r"|dân|đội|nước|tỉnh|ngày|[A-ZĐ]\w* [A-ZĐ])(?!\w))"
)
_DATES_LIKE_FRACTIONS = {(2, 9)}
"""The national day is more common than two ninths."""
_FRACTIONS_LIKE_DATES = {(24, 7)}


def day_of(day: str, month: str, year: str | None = None) -> str:
    """Return a date in words; the fourth month has its own name."""
    return f"ngày {cardinal(int(day))} {month_of(month, year)}"


def month_of(month: str, year: str | None = None) -> str:
    """Return a month in words, with its year if given."""
    name = _MONTHS.get(int(month)) or cardinal(int(month))
    return f"tháng {name} {_year(year)}".strip() if year else f"tháng {name}"


def _year(year: str) -> str:
    number = int(year)
    if len(year) == 2:  # noqa: PLR2004 - two digits stand for four
        number += 2000 if number < _CENTURY_BEFORE else 1900
    return f"năm {cardinal(number)}"


def _year_first(match: re.Match[str]) -> str:
    return day_of(match[4], match[3], match[1]) + " "


def _day_first(match: re.Match[str]) -> str:
    return day_of(match[1], match[3], match[4])


def _days(match: re.Match[str]) -> str:
    """Read 28-30/4 as days, unless it looks like numbers: 1-3/4."""
    said, first, last, month, year = match.groups()
    before = "từ " if said and said.lower().startswith("từ") else ""
    if int(first) >= int(last) or not (said or year or int(last) > _LAST_MONTH):
        return match[0]
    return (
        f"{before}ngày {cardinal(int(first))} đến {day_of(last, month, year).removeprefix('ngày ')}"
    )


def _day_list(match: re.Match[str]) -> str:
    listed = re.sub(r"\d+", lambda day: cardinal(int(day[0])), match[1])
    return f"ngày {listed}{day_of(match[2], match[3], match[4]).removeprefix('ngày ')}"


def _lunar(match: re.Match[str]) -> str:
    before, day, month, year, calendar = match.groups(default="")
    name = _LUNAR_NAMES.get(calendar.lower(), calendar)
    said = f"{day_of(day, month, year or None)} {name}"
    is_named = before.lower() in ("rằm", "mùng", "mồng")
    return f"{before} {said.removeprefix('ngày ')}" if is_named else said


def _english_date(match: re.Match[str]) -> str:
    day, after, before, first, year = match.groups()
    month = _ENGLISH_MONTHS.index((after or before)[:3]) + 1
    return day_of(day or first, str(month), year)


def _from_to(match: re.Match[str]) -> str:
    return f"{day_of(match[1], match[2])} đến {day_of(match[3], match[4], match[5])}"


def _two_days(match: re.Match[str]) -> str:
    """Read 30/4 và 1/5: one that is certainly a day makes the other one too."""
    if int(match[1]) <= _LAST_MONTH and int(match[4]) <= _LAST_MONTH:
        return match[0]
    return f"{day_of(match[1], match[2])}{match[3]}{day_of(match[4], match[5])}"


def _after_word(match: re.Match[str]) -> str:
    date = day_of(match[2], match[3])
    is_full_moon = match[1].lower().startswith("rằm")
    return match[1] + (date.removeprefix("ngày ") if is_full_moon else date)


def _alone(match: re.Match[str]) -> str:
    """Read 15/8 and 05/06 as days, but not a half, a grade or a house number."""
    before, day, month = match.groups()
    number = (int(day), int(month))
    is_day = number[0] > number[1] or "0" in (day[0], month[0]) or number in _DATES_LIKE_FRACTIONS
    if _NO_DATE_BEHIND.fullmatch(before or "") or number in _FRACTIONS_LIKE_DATES or not is_day:
        return match[0]
    date = day_of(day, month)
    if before is None:
        return date
    # Streets are named after days: "đường Ba Tháng Hai".
    return f"{before} {date.removeprefix('ngày ') if before.lower() == 'đường' else date}"


DATES: tuple[Rewrite, ...] = (
    rewrite(r"(?<!\w)((?i:thứ)) 4(?![\w/]|[.,:-]\d)", r"\1 tư"),
    rewrite(r"(?<!\w)((?i:thứ)) 1(?![\w/]|[.,:-]\d)", r"\1 nhất"),
    # the 1990s, and people born in 2k5
    rewrite(r"(?<![\w.,])((?:1[5-9]|20)\d0)s(?!\w)", r"\1"),
    rewrite(r"(?<!\w)2k([1-9])(?!\w)", r"hai nghìn lẻ \1"),
    # 15/7 ÂL, rằm 15/8 âm lịch, 1/1/2026 (DL)
    rewrite(
        rf"(?<![\w.,/-])(?:(?i:(ngày|rằm|mùng|mồng)) )?({_DAY})[/-]({_MONTH})(?:[/-]({_YEAR}))?"
        rf" \(?({_LUNAR})(?!\w)\)?",
        _lunar,
    ),
    rewrite(r"(?<=\d )\(?(?:ÂL|âl)\)?(?!\w)", "âm lịch"),
    rewrite(
        r"(?<!\w)((?i:âm lịch|dương lịch|tết|giỗ|cúng|giao thừa|hạn|deadline|sinh nhật|khai giảng"
        r"|khởi hành|nhận phòng|trả phòng|hết hạn) )"
        rf"({_DAY})/({_MONTH}){_END}",
        _after_word,
    ),
    rewrite(rf"(?<=/\d{{4}})\s?-\s?(?={_DAY}/(?:{_MONTH}/)?{_YEAR}(?!\w))", " đến "),
    rewrite(
        rf"{_BEGIN}(?:(?i:ngày)\s)?({_YEAR})([-/.])({_MONTH})\2({_DAY})(?:T(?=\d)|{_END})",
        _year_first,
    ),
    # 29 Nov 2026, Nov 29, 2026
    rewrite(
        rf"(?<!\w)(?:(?i:ngày) )?(?:({_DAY}) ({_ENGLISH_MONTH})|({_ENGLISH_MONTH}) ({_DAY}))"
        rf"(?:st|nd|rd|th)?,? ({_YEAR})(?!\w)",
        _english_date,
    ),
    rewrite(rf"{_BEGIN}(?:(?i:ngày)\s)?({_DAY})([/.-])({_MONTH})\2({_YEAR}){_END}", _day_first),
    rewrite(
        r"(?<![\w.,/-])(?:(?i:ngày)\s)?([0-3]\d)(/)([01]\d)/(\d{2})(?![\w/]|[.,-]\d)",
        lambda m: _day_first(m) if 0 < int(m[1]) <= 31 and 0 < int(m[3]) <= 12 else m[0],  # noqa: PLR2004 - days, months
    ),
    rewrite(
        rf"(?<![\w.,/-])(?i:(ngày|hạn|hôm|sáng|chiều|tối|trước|sau|từ|đến))\s({_DAY})/({_MONTH})/(2\d)(?![\w/]|[.,-]\d)",
        lambda m: f"{'' if m[1] == 'ngày' else m[1] + ' '}{day_of(m[2], m[3], m[4])}",
    ),
    rewrite(
        rf"{_BEGIN}((?i:ngày|từ)\s)?({_DAY})\s?-\s?({_DAY})/({_MONTH})(?:/({_YEAR}))?{_END}",
        _days,
    ),
    rewrite(
        rf"(?<!\w)(?i:ngày) ((?:{_DAY}(?:, ?| và | hoặc )){{1,6}})({_DAY})/({_MONTH})"
        rf"(?:/({_YEAR}))?{_END}",
        _day_list,
    ),
    rewrite(
        rf"{_BEGIN}(?:(?i:ngày)\s)?({_DAY})/({_MONTH})\s?-\s?({_DAY})/({_MONTH})"
        rf"(?:/({_YEAR}))?{_END}",
        _from_to,
    ),
    rewrite(
        rf"(?<=[Tt]ừ )({_DAY})/({_MONTH}) (?:đến|tới) ({_DAY})/({_MONTH})(?:/({_YEAR}))?{_END}",
        _from_to,
    ),
    # 30/4 và 1/5
    rewrite(
        rf"{_BEGIN}({_DAY})/({_MONTH})( và |, | hoặc )({_DAY})/({_MONTH}){_END}{_NO_DATE_BEFORE}",
        _two_days,
    ),
    rewrite(rf"(?<!\w)(?i:ngày)()\s({_DAY})[/.-]({_MONTH}){_END}", _after_word),
    rewrite(
        rf"(?<!\w)((?i:{_BEFORE_A_DATE})(?:, | \(| ))({_DAY})/({_MONTH}){_END}(?! (?:ly|cốc|phần))",
        _after_word,
    ),
    rewrite(
        rf"(?<!\w)((?i:từ|đến|tới|trước|vào|sau|tính đến) )({_DAY})/({_MONTH}){_END}(?! lên)"
        rf"{_NO_DATE_BEFORE}",
        _after_word,
    ),
    rewrite(
        rf"(?<!\w)(?:(?i:quý) |Q)([1-4])[/-]({_YEAR}){_END}",
        lambda m: f"quý {m[1]} {_year(m[2])}",
    ),
    rewrite(
        rf"{_BEGIN}(?:(?i:tháng)\s|T)?({_MONTH})/({_YEAR}){_END}", lambda m: month_of(m[1], m[2])
    ),
    rewrite(
        rf"(?<![\w.,/-])(?<!đoạn )(?<!học )({_YEAR})-(0[1-9]|1[0-2]){_END}",
        lambda m: month_of(m[2], m[1]),
    ),
    rewrite(rf"(?<!\w)(?i:tháng)\s({_MONTH})[.-]({_YEAR}){_END}", lambda m: month_of(m[1], m[2])),
    rewrite(rf"{_BEGIN}(?:([^\W\d]+) )?({_DAY})/({_MONTH}){_END}(?!\s?=){_NO_DATE_BEFORE}", _alone),
    rewrite(r"(?<!\w)((?i:tháng)) 0?4(?![\w/]|[.,:-]\d| ngày)", r"\1 tư"),
    rewrite(r"(?<!\w)((?i:ngày|tháng|mùng|mồng|rằm)) 0(?=[1-9](?!\d))", r"\1 "),
    # lương T12, báo cáo T3/2026 are months; T3/2026 was read before
    rewrite(
        r"(?<!\w)(?i:(lương|hóa đơn|hoá đơn|tiền điện|tiền nước|báo cáo|doanh thu|kỳ|tiền nhà"
        r"|tiền mạng)) T(1[0-2]|[1-9])(?![\w/])",
        lambda m: f"{m[1]} {month_of(m[2])}",
    ),
)
