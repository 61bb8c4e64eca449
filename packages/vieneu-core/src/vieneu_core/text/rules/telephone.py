"""Telephone numbers, read digit by digit; prices, years and amounts are excluded."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import digit_by_digit
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_GAP = r"[ .\-]"
_CALLED = (
    r"gọi|số|điện thoại|đường dây nóng|tổng đài|hotline|liên hệ|cấp cứu|cứu hỏa|cứu hoả|công an"
    r"|cảnh sát|quay số|bấm|alo"
)
_YEARS = r"(?!1[89]00-(?:1[89]|20)\d\d(?!\d))"
_SHORT = r"1(?:11|12|13|14|15|16|19|22|022|08[01])"


def _grouped(match: re.Match[str]) -> str:
    groups = re.split(r"[ .\-()]+", match[0].strip("() "))
    said = [_group(group) for group in groups if group]
    return " " + ", ".join(said) + " "


def _group(group: str) -> str:
    plus = "cộng " if group.startswith("+") else ""
    return plus + digit_by_digit(group)


def _short_numbers(match: re.Match[str]) -> str:
    return re.sub(_SHORT, lambda short: digit_by_digit(short[0]), match[0])


def _dialled(match: re.Match[str]) -> str:
    return " sao ".join(digit_by_digit(part) for part in match.groups() if part) + " thăng "


TELEPHONE_NUMBERS: tuple[Rewrite, ...] = (
    # +84 (0)912 345 678
    rewrite(r"(?<=\+84)\s?\(0\)\s?(?=\d)", " "),
    # +84 912 345 678, (+84) 24 3825 1234
    rewrite(rf"\(?\+\d{{1,3}}\)?(?:{_GAP}?\d){{8,11}}(?!\d)", _grouped),
    # 0912 345 678, 024.3825.1234, (024) 3825 1234: a leading zero, 10 or 11 digits in all
    rewrite(rf"(?<![\w.,])\(?0\d{{1,3}}\)?(?:{_GAP}?\d){{6,9}}(?![\d/]|[.,]\d)", _grouped),
    # 1900 1234, 1800-1234, 18001234
    rewrite(
        rf"(?<![\w.,]){_YEARS}1[89]00{_GAP}?\d{{2,4}}(?:{_GAP}?\d{{2,3}})?(?![\d/]|[.,]\d)",
        _grouped,
    ),
    # (84-24) 3825 1234, and 3825.1234: four digits before a full stop are no thousands
    rewrite(rf"\(84{_GAP}\d{{1,3}}\)(?:{_GAP}?\d){{7,8}}(?!\d)", _grouped),
    rewrite(r"(?<![\w.,])\d{4}\.\d{4}(?![\w.]\w)", _grouped),
    # *101#, and "soạn KT gửi 191"
    rewrite(r"(?<=sao )(\d{2,4})(?:\*(\d{1,4}))?#", _dialled),
    rewrite(
        r"(?<!\w)((?i:soạn) [^.;,\d]{1,30} gửi) (\d{3,4})(?!\w|[.,/]\d)",
        lambda m: f"{m[1]} {digit_by_digit(m[2])}",
    ),
    # accounts and cards, in part
    rewrite(
        r"(?<!\w)(\d{3,6})?(?:[xX]{3,12}|\*{3,12})(\d{3,6})(?!\w|[.,/]\d)",
        lambda m: f" {digit_by_digit(m[1] or '')}{', ' if m[1] else ''}{digit_by_digit(m[2])} ",
    ),
    # cards
    rewrite(r"(?<![\w.,])\d{4}(?:[ -]\d{4}){3}(?![\w/]|[.,]\d)", _grouped),
    rewrite(r"(?<=[gG]ọi )9(?:11|99)(?!\w|[.,/]\d)", _grouped),
    # Gọi 113, 114 hoặc 115
    rewrite(
        rf"(?i:(?<!\w)(?:{_CALLED}))(?: (?i:số|ngay|tới|đến|theo|ngay số))?:? {_SHORT}"
        rf"(?:(?:, | hoặc | hay | và |/){_SHORT})*"
        r"(?![\d/]|[.,]\d| (?i:nghìn|triệu|đồng|người|cái|nhà))",
        _short_numbers,
    ),
)
