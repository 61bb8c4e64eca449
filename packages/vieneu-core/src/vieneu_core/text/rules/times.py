"""Times of the day, and durations, as words."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import cardinal, said_number
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_HOUR, _MINUTE = r"(?:2[0-4]|[01]?\d)", r"[0-5]\d"
_NOON, _EVENING = 12, 6
_BEGIN = r"(?<![\w:.,])"
_TIME = rf"{_HOUR}(?:[:hg]{_MINUTE}|h)"
_DURATION_UNITS = {
    "y": "năm",
    "w": "tuần",
    "d": "ngày",
    "h": "giờ",
    "m": "phút",
    "min": "phút",
    "mins": "phút",
    "ph": "phút",
    "p": "phút",
    "s": "giây",
    "sec": "giây",
    "ms": "mi li giây",
}
_SIZES = ("năm", "tuần", "ngày", "giờ", "phút", "giây", "mi li giây")
_STEP = r"\d{1,4}\s?(?:mins?|sec|ms|ph|[ywdhmps])"
_PART = re.compile(r"(\d{1,4})\s?(mins?|sec|ms|ph|[ywdhmps])")


def _half_day(match: re.Match[str]) -> str:
    hour = int(match[1])
    minutes = "" if match[2] in (None, "00") else f" {cardinal(int(match[2]))} phút"
    if match[3].upper().startswith("A"):
        part = "sáng"
    elif hour == _NOON:
        part = "trưa"
    else:
        part = "tối" if hour >= _EVENING else "chiều"
    return f"{cardinal(hour)} giờ{minutes} {part}"


def time_of(hour: str, minute: str | None, second: str | None = None) -> str:
    """Return a time in words: 7:30 is "bảy giờ ba mươi phút", 7:00 "bảy giờ"."""
    said = f"{cardinal(int(hour))} giờ"
    if minute is not None and (int(minute) or second is not None):
        said += f" {cardinal(int(minute))} phút"
    return said if second is None else f"{said} {cardinal(int(second))} giây"


def _time(match: re.Match[str]) -> str:
    return time_of(*match.groups())


def _duration(match: re.Match[str]) -> str:
    """Read 12d 4h 30m; units that do not get smaller are no duration: "3m, 5m"."""
    parts = _PART.findall(match[0])
    sizes = [_SIZES.index(_DURATION_UNITS[unit]) for _, unit in parts]
    if sizes != sorted(set(sizes)):
        return match[0]
    return " ".join(f"{cardinal(int(n))} {_DURATION_UNITS[unit]}" for n, unit in parts)


def _within(match: re.Match[str]) -> str:
    return f" trong {cardinal(int(match[1] or match[2]))} giờ"


ZONES: tuple[Rewrite, ...] = (
    # Forms of computers: fractions of a second, and the time zone.
    rewrite(r"(?<=\d:\d\d:\d\d)(?:[.,]\d{1,9})?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?(?!\w)", ""),
    rewrite(r"(?<=T\d\d:\d\d)(?:Z|[+-]\d\d:?\d\d)(?!\w)", ""),
    rewrite(r"(?<=\d )days?(?=,? \d{1,2}:\d\d)", "ngày"),
)
"""Before telephone numbers: 12.345678+07:00 is none."""
TIMES: tuple[Rewrite, ...] = (
    rewrite(
        rf"{_BEGIN}(\d{{1,2}}(?::[0-5]\d)?\s?[AaPp][Mm])\s?[-~]\s?(?=\d{{1,2}}(?::[0-5]\d)?\s?[AaPp][Mm]"
        r"(?!\w))",
        r"\1 đến ",
    ),
    rewrite(r"(?<![\w.,/:-])(\d{1,3})\s?[-~]\s?(?=\d{1,3}p(?!\w))", r"\1 đến "),
    rewrite(r"(?<![\w.,])(\d{1,3})'\s?-\s?(?=\d{1,3}'(?!\w))", r"\1 đến "),
    rewrite(r"(?<=phút )(\d{1,3}(?:\+\d{1,2})?)'(?:(?=\+)|(?!\w))", r"\1"),
    rewrite(rf"{_BEGIN}(\d{{1,2}})\s?[-~]\s?(?=\d{{1,2}} h(?!\w))", r"\1 đến "),
    rewrite(r"(?<=\dmm)/(\d{1,2})h(?!\w)|(?<=\d mm)/(\d{1,2})h(?!\w)", _within),
    rewrite(r"(?<![\w/.,])24/24\s?[hH](?!\w)", "hai mươi bốn trên hai mươi bốn giờ"),
    rewrite(r"(?<=\d[hg]\d\d)['p](?!\w)", ""),
    rewrite(
        rf"{_BEGIN}(1[0-2]|0?[1-9])(?::([0-5]\d))?\s?([AaPp]\.?[Mm])\.?(?!\w)",
        _half_day,
    ),
    rewrite(r"(?<!\w)((?i:lúc)) (\d{1,2})\.([0-5]\d)(?!\w|[.,]\w)", r"\1 \2:\3"),
    rewrite(
        r"(?<![\w.,])(\d{1,2})\.([0-5]\d)(?= (?:sáng|trưa|chiều|tối|đêm)(?!\w))",
        r"\1:\2",
    ),
    rewrite(rf"{_BEGIN}(\d{{1,2}})\s?[-~]\s?(?=\d{{1,2}}[hg](?:\d\d)?(?!\w))", r"\1 đến "),
    rewrite(rf"{_BEGIN}({_TIME})\s?[-~]\s?({_TIME})(?![\w:])", r"\1 đến \2"),
    # 12d 4h 30m, 1h30m, 2d3h, 45m 10s
    rewrite(rf"(?<![\w.,]){_STEP}(?:[ ,]?\s?{_STEP}){{1,6}}(?!\w)", _duration),
    rewrite(
        r"(?<![\w.,])(?<!\bin )(?<!phim )(?<!hình )(?<!ảnh )(\d{1,4})d(?!\w)",
        lambda m: f"{cardinal(int(m[1]))} ngày",
    ),
    rewrite(rf"{_BEGIN}({_HOUR}):({_MINUTE}):({_MINUTE})(?![\w:])", _time),
    rewrite(rf"{_BEGIN}({_HOUR})[:hg]({_MINUTE})(?![\w:])", _time),
    rewrite(r"(?<![\w.,])(\d{1,3}[.,]\d{1,2})\s?h(?!\w)", lambda m: f"{said_number(m[1])} giờ"),
    rewrite(r"(?<![\w.,])(?!480|720)(\d{1,3})p(?!\w)", lambda m: f"{cardinal(int(m[1]))} phút"),
    rewrite(
        r"(?<![\w.,])(\d{1,2})g(?= (?:sáng|trưa|chiều|tối|đêm|kém|rưỡi))",
        lambda m: f"{cardinal(int(m[1]))} giờ",
    ),
    rewrite(rf"{_BEGIN}({_HOUR})h([1-9])(?!\w)", _time),
    rewrite(r"(?<![\w:.,])(\d{1,2}) h(?!\w)", lambda m: f"{cardinal(int(m[1]))} giờ"),
    rewrite(r"(?<![\w:.,])(\d{1,4})h(?:00)?(?![\w²³])", lambda m: f"{cardinal(int(m[1]))} giờ"),
    rewrite(
        r"(?<![\w°])(\d{1,3})'\s?(\d{1,2})(?:\"|''|s(?!\w))",
        lambda m: f"{cardinal(int(m[1]))} phút {cardinal(int(m[2]))} giây",
    ),
)
