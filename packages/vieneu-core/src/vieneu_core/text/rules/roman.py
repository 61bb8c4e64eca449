"""Roman numerals: centuries, chapters, kings."""

from __future__ import annotations

import re

from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_ROMAN = r"(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}
# Words that are followed by a numeral, whatever its letters.
_NUMBERED = (
    "thế kỷ|thế kỉ|chương|mục|phần|tập|kỳ|kì|khóa|khoá|đại hội|đại hội đảng|hội nghị|lần thứ|thứ|"
    "quý|quận|khu vực|hạng|bậc|cấp|vành đai|thế chiến|điều|quyển|bài|hồi|giai đoạn|học kỳ|"
    "học kì|phụ lục|vùng|nhóm|loại|đệ|trung ương"
)
# "XI MĂNG" and "VI PHẠM" are words in capitals.
_NO_WORD = r"(?!\w)(?!(?<=XI) [A-ZĐ]{2})(?!(?<=VI) [A-ZĐ]{2})"


def roman_value(numeral: str) -> int:
    """Return the value of a correctly written Roman numeral."""
    values = [_VALUES[char] for char in numeral]
    following = [*values[1:], 0]
    return sum(v if v >= after else -v for v, after in zip(values, following, strict=True))


def _arabic(match: re.Match[str]) -> str:
    return f"{match[1]} {roman_value(match[2])}"


def _arabic_list(match: re.Match[str]) -> str:
    """Read "chương I, II và III", and "thế kỷ XV-XVI"."""
    listed = re.sub(r"[IVXL]+", lambda numeral: str(roman_value(numeral[0])), match[2])
    return f"{match[1]} {re.sub('[ ]?-[ ]?', ' đến ', listed).replace('/', ', ')}"


ROMAN_NUMERALS: tuple[Rewrite, ...] = (
    rewrite(r"(?<!\w)ĐH(?=\s[IVX]{1,5}(?!\w))", "đại hội"),
    rewrite(
        rf"(?<!\w)((?i:{_NUMBERED}))\s({_ROMAN}(?:(?:\s?-\s?|, ?| và | hoặc |/){_ROMAN}){{1,9}})"
        r"(?!\w)",
        _arabic_list,
    ),
    rewrite(r"(?<!\w)[tT][kK](?= [IVX]{1,5}(?!\w)| \d\d?(?!\w))", "thế kỷ"),
    # Q.III/2025; I, II, III
    rewrite(
        rf"(?<!\w)Q\.?({_ROMAN})(?=/(?:19|20)\d\d(?!\w))",
        lambda m: f"quý {roman_value(m[1])}",
    ),
    rewrite(
        r"(?<![\w.])I, ?II(?:(?:, ?| và | & )(?:III|IV|V|VI{1,3}|IX|X)(?!\w)){1,8}",
        lambda m: re.sub(r"[IVX]+", lambda one: str(roman_value(one[0])), m[0]),
    ),
    rewrite(rf"^(I|(?=[IVX]{{2}}){_ROMAN})\.(?=\s)", lambda m: f"{roman_value(m[1])}."),
    rewrite(rf"(?<!\w)((?i:{_NUMBERED}))\s({_ROMAN}){_NO_WORD}", _arabic),
    # Kings, popes and wars; only numerals that are no words or abbreviations: not IV, VI, XL.
    rewrite(
        r"(?<!\w)([A-ZĐ]\w{0,30}[a-zà-ỹ])\s(I{2,3}|VI{2,3}|IX|XI{2,3}|XI?V|XVI{1,3}|XI?X)(?!\w)",
        _arabic,
    ),
    rewrite(r"(?<!\w)(Louis|Henry|Pius|Charles|Edward|Philippe)\s(IV|VI|XI|XVI?)(?!\w)", _arabic),
)
