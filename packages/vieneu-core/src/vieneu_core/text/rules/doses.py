"""Doses of medicine: "500mg x 2 lần/ngày" is "năm trăm mi li gam, hai lần một ngày"."""

from __future__ import annotations

import re

from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_DOSE_PER = "ngày|tuần|tháng|giờ|lần|đêm|buổi"
_PORTION = "viên|ống|gói|giọt|muỗng|thìa|mũi"
_TAKEN = "uống|bôi|nhỏ|xịt|tiêm|dùng|ngậm|thoa|súc|ăn"


def _dose(match: re.Match[str]) -> str:
    """Read "x 2 lần/ngày" of a prescription."""
    per = f" một {match[3]}" if match[3] else ""
    return f", {match[1]} {match[2]}{per}"


DOSES: tuple[Rewrite, ...] = (
    # uống 1v x 2 lần/ngày, 500 mg/8h, 250mg/5ml
    rewrite(rf"(?<!\w)((?i:{_TAKEN}|ngày|lần)(?: \w+)? \d{{1,2}}) ?v(?=\s?[/x×,.]|$)", r"\1 viên"),
    rewrite(
        r"(?<=\d)(\s?(?:mg|g|ml|viên|lần|kg))\s?/\s?(\d{1,2}) ?(?:h|giờ)(?!\w)", r"\1 mỗi \2 giờ"
    ),
    rewrite(r"(?<=\d)(\s?(?:mg|g|mcg|ml))\s?/\s?(?=\d{1,3}\s?ml(?!\w))", r"\1 trên "),
    rewrite(r"(?<=\d)(\s?(?:ml|mg|g))\s?/\s?lần(?!\w)", r"\1 một lần"),
    rewrite(r"(?<=[/ ]ngày)\s?[x×*]\s?(?=\d{1,3} (?:ngày|tuần|tháng)(?!\w))", ", "),
    rewrite(
        rf"\s?[x×*]\s?(\d{{1,2}}(?:-\d)?) (lần|{_PORTION})"
        rf"(?:\s?/\s?({_DOSE_PER}))?(?!\w)",
        _dose,
    ),
    rewrite(
        rf"(?<=\d )({_PORTION})\s?/\s?(ngày|tuần|tháng|lần)(?!\w)",
        r"\1 một \2",
    ),
    rewrite(
        rf"(?<!\w)((?i:{_TAKEN})[^/.;]{{0,40}} \d{{1,2}}(?:-\d)? (?:lần|{_PORTION}))"
        rf"\s?/\s?({_DOSE_PER})(?!\w)",
        r"\1 một \2",
    ),
)
