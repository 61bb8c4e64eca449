"""Weekdays: "T2-T6" is "thứ hai đến thứ sáu", "hẹn t7" is "hẹn thứ bảy"."""

from __future__ import annotations

import re

from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_WEEKDAYS = {"2": "hai", "3": "ba", "4": "tư", "5": "năm", "6": "sáu", "7": "bảy"}
_DAY = r"(?:(?i:thứ) (?:hai|ba|tư|năm|sáu|bảy|[2-7]))"


def _weekday(match: re.Match[str]) -> str:
    return f"thứ {_WEEKDAYS[match[1]]}"


def _listed_weekdays(match: re.Match[str]) -> str:
    """Read "thứ 2-6" as a range, "thứ 2-4-6" as a list."""
    is_list = match[0].count("-") > 1
    return _weekdays(match).replace(" đến ", " ") if is_list else _weekdays(match)


def _weekdays(match: re.Match[str]) -> str:
    """Read T2-T6 and "thứ 2, 4, CN"."""
    names = re.sub("[Tt](?=[2-7])", "thứ ", match[0])
    names = re.sub("CN|cn", "chủ nhật", names)
    names = re.sub(r"\d", lambda day: _WEEKDAYS[day[0]], names)
    return re.sub(r"\s?[-→~]\s?", " đến ", names)


def _days_alone(match: re.Match[str]) -> str:
    days = [_WEEKDAYS[day] for day in re.findall(r"[2-7]", match[0])]
    return ("thứ " if match[1] else "") + ", ".join(days)


WEEKDAYS_WITH_STOP: tuple[Rewrite, ...] = (
    # hẹn T.7, T.2 - T.6
    rewrite(
        r"(?<!\w)((?i:hẹn|sáng|trưa|chiều|tối|đêm|gặp|họp|nghỉ|đến|từ|và)) T\.(?=[2-7](?![\w/.]))",
        r"\1 T",
    ),
    rewrite(r"(?<!\w)T\.(?=[2-7](?:\s?-\s?|, ?)(?:T\.[2-7]|CN)(?!\w))", "T"),
    rewrite(r"(?:(?<=T[2-7]-)|(?<=T[2-7] - )|(?<=T[2-7], ))T\.(?=[2-7](?!\w))", "T"),
)
"""Before the floors: "T.3 chung cư" is one."""
WEEKDAYS: tuple[Rewrite, ...] = (
    # T3,5,7; T2-4-6; thứ 2/4/6
    rewrite(
        r"(?<!\w)T([2-7](?:[-,/][2-7]){2,5})(?![\w/]|[.,-]\d)"
        r"|(?<=[tT]hứ )[2-7](?:/[2-7]){1,5}(?![\w/])",
        _days_alone,
    ),
    # T2-T6, T7 và CN; not terminal T1 of an airport
    rewrite(
        r"(?<!\w)[Tt][2-7](?:(?:, ?|\s?[-/~→]\s?|\s?& ?| và | hoặc | đến | tới | )(?:[Tt][2-7]|CN"
        r"|cn)(?!\w)){1,7}",
        _weekdays,
    ),
    rewrite(
        r"(?<!\w)(?i:(sáng|trưa|chiều|tối|đêm|hẹn|ngày|hôm|mỗi|từ|đến|vào|nghỉ|làm|lịch|qua|trước"
        r"|sau|học|họp|việc|giờ|\d{1,2}h|trừ|gặp|cả)) [Tt]([2-7])(?![\w/])",
        lambda m: f"{m[1]} thứ {_WEEKDAYS[m[2]]}",
    ),
    rewrite(
        r"(?<!\w)(?<!ga )(?<!tòa )(?<!căn )(?<!lô )(?<!cửa )(?<!tuyến )(?<!terminal )[Tt]([2-7])"
        r"(?=,? \(?(?i:này|tới|sau|tuần|hàng tuần|hằng tuần|rồi|vừa|trước|ngày|đầu|cuối|lúc|nghỉ|đi"
        r"|học|họp|\d{1,2}(?:h|:|/|g)))",
        _weekday,
    ),
    rewrite(r"(?<!\w)t([2-7])(?!\w)", _weekday),
    rewrite(
        r"(?<!\w)(?i:(sáng|trưa|chiều|tối|đêm|hẹn|ngày|hôm|mỗi|từ|đến|nghỉ)) cn(?!\w)",
        r"\1 chủ nhật",
    ),
    rewrite(r"(?<!\w)cn(?= (?:này|tới|sau|tuần|nghỉ|đi|học|họp|làm|rảnh))", "chủ nhật"),
    rewrite(
        r"(?<!\w)[tT]hứ [2-7](?:(?:, ?|\s?-\s?| và )(?:thứ )?(?:[2-7]|CN)){1,6}(?![\w/]|[.,]\d)",
        _listed_weekdays,
    ),
    # thứ hai - thứ sáu
    rewrite(rf"(?<!\w)({_DAY})\s?[-~]\s?(?={_DAY}(?!\w)|(?i:chủ nhật)(?!\w)|CN(?!\w))", r"\1 đến "),
)
