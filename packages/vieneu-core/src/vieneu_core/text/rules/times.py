"""Times of the day, and durations."""

from __future__ import annotations

import re

from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_TIME = r"\d{1,2}(?:[:hg]\d{2}|h|g)"
_NOON, _EVENING = 12, 6


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


TIMES: tuple[Rewrite, ...] = (
    # Forms of computers: fractions of a second, and the time zone.
    rewrite(r"(?<=\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?!\w)", ""),
    rewrite(r"(?<=\d[hg]\d\d)['p](?!\w)", ""),
    rewrite(r"(?<![\w:.,])(1[0-2]|0?[1-9])(?::([0-5]\d))?\s?([AaPp]\.?[Mm])\.?(?!\w)", _half_day),
    rewrite(r"(?<!\w)((?i:lúc)) (\d{1,2})\.([0-5]\d)(?!\w|[.,]\w)", r"\1 \2:\3"),
    rewrite(
        r"(?<![\w.,])(\d{1,2})\.([0-5]\d)(?= (?:sáng|trưa|chiều|tối|đêm)(?!\w))",
        r"\1:\2",
    ),
    rewrite(r"(?<![\w:.,])(\d{1,2})\s?-\s?(?=\d{1,2}[hg](?:\d\d)?(?!\w))", r"\1 đến "),
    rewrite(rf"(?<![\w:.,])({_TIME})\s?[-~]\s?({_TIME})(?![\w:])", r"\1 đến \2"),
    rewrite(r"(?<![\d:])0?0:00(?![:\d])", "0 giờ"),
    rewrite(r"(?<![\d:])(\d{1,2}):00(?![:\d])", r"\1 giờ"),
    rewrite(r"(?<![\d:])(\d{1,2})h00(?!\d)", r"\1 giờ"),
    rewrite(r"(?<![\w°])(\d{1,3})'\s?(\d{1,2})(?:\"|''|s(?!\w))", r"\1 phút \2 giây"),
)
