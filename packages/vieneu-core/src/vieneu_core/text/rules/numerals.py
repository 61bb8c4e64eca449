"""Digits, letters and numbers as Vietnamese words, Roman numerals and fractions."""

from __future__ import annotations

import re

from vieneu_core.text.rules.rewrite import Rewrite, rewrite

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
LETTERS = {
    "a": "a",
    "ă": "á",
    "â": "ớ",
    "b": "bê",
    "c": "xê",
    "d": "đê",
    "đ": "đê",
    "e": "e",
    "ê": "ê",
    "f": "ép",
    "g": "gờ",
    "h": "hát",
    "i": "i",
    "j": "di",
    "k": "ca",
    "l": "lờ",
    "m": "mờ",
    "n": "nờ",
    "o": "ô",
    "ô": "ô",
    "ơ": "ơ",
    "p": "pê",
    "q": "quy",
    "r": "rờ",
    "s": "ét",
    "t": "tê",
    "u": "u",
    "ư": "ư",
    "v": "vê",
    "w": "vê kép",
    "x": "ích",
    "y": "y",
    "z": "dét",
}
"""Vietnamese letter names: FPT is "ép pê tê"."""
ENGLISH_LETTERS = {
    "a": "ây",
    "b": "bi",
    "c": "xi",
    "d": "đi",
    "e": "i",
    "f": "ép",
    "g": "gi",
    "h": "ếch",
    "i": "ai",
    "j": "giây",
    "k": "cây",
    "l": "eo",
    "m": "em",
    "n": "en",
    "o": "âu",
    "p": "pi",
    "q": "kiu",
    "r": "a",
    "s": "ét",
    "t": "ti",
    "u": "iu",
    "v": "vi",
    "x": "ích",
    "y": "oai",
    "z": "dét",
    "w": "đắp liu",
}
"""English letter names as Vietnamese speakers say them: CEO is "xi i âu"."""
NUMBER = r"\d{1,15}(?:[.,]\d{1,12}){0,6}"

_SCALES = ("", " nghìn", " triệu", " tỷ")


def digit_by_digit(text: str) -> str:
    """Return the digits in a text as words, one by one; omit everything else."""
    return " ".join(DIGITS[int(char)] for char in text if char in "0123456789")


def spelled(text: str) -> str:
    """Return the letters and digits of a text by their Vietnamese names."""
    names = (LETTERS.get(char) or digit_by_digit(char) for char in text.lower())
    return " ".join(filter(None, names))


def english_spelled(text: str) -> str:
    """Return the letters and digits of a text by their English names, as Vietnamese says them."""
    names = (ENGLISH_LETTERS.get(char) or digit_by_digit(char) for char in text.lower())
    return " ".join(filter(None, names))


def cardinal(number: int) -> str:
    """Return a number below a million million in words; 105 is "một trăm lẻ năm"."""
    groups = [number // 1000**power % 1000 for power in range(len(_SCALES))]
    top = max((power for power, group in enumerate(groups) if group), default=0)
    return " ".join(
        _below_thousand(groups[power], full=power < top) + _SCALES[power]
        for power in range(top, -1, -1)
        if groups[power] or top == 0
    )


def _below_thousand(number: int, *, full: bool) -> str:
    hundreds, rest = divmod(number, 100)
    if not (hundreds or full):
        return _below_hundred(rest)
    head = f"{DIGITS[hundreds]} trăm"
    if rest == 0:
        return head
    return f"{head} lẻ {DIGITS[rest]}" if rest < 10 else f"{head} {_below_hundred(rest)}"  # noqa: PLR2004 - one digit


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    if tens == 0:
        return DIGITS[ones]
    head = "mười" if tens == 1 else f"{DIGITS[tens]} mươi"
    if ones == 0:
        return head
    if ones == 1 and tens > 1:
        return f"{head} mốt"
    return f"{head} lăm" if ones == 5 else f"{head} {DIGITS[ones]}"  # noqa: PLR2004 - the digit 5


# --- Roman numerals ------------------------------------------------------------------------

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
    rewrite(rf"^(I|(?=[IVX]{{2}}){_ROMAN})\.(?=\s)", lambda m: f"{roman_value(m[1])}."),
    rewrite(rf"(?<!\w)((?i:{_NUMBERED}))\s({_ROMAN}){_NO_WORD}", _arabic),
    # Kings, popes and wars; only numerals that are no words or abbreviations: not IV, VI, XL.
    rewrite(
        r"(?<!\w)([A-ZĐ]\w{0,30}[a-zà-ỹ])\s(I{2,3}|VI{2,3}|IX|XI{2,3}|XI?V|XVI{1,3}|XI?X)(?!\w)",
        _arabic,
    ),
    rewrite(r"(?<!\w)(Louis|Henry|Pius|Charles|Edward|Philippe)\s(IV|VI|XI|XVI?)(?!\w)", _arabic),
)


# --- fractions and signs -------------------------------------------------------------------


def _fraction(match: re.Match[str]) -> str:
    above, below = match[1], match[2]
    if int(above) >= int(below) or (below == "10" and above != "1"):
        return f"{above} trên {below}"  # a score or a ratio: 8/10, 24/7, 50/50
    return f"{above} phần {'tư' if below == '4' else below}"


def _plain(match: re.Match[str]) -> str:
    return cardinal(int(match[0]))


def _thousandths(match: re.Match[str]) -> str:
    return f"0 chấm {digit_by_digit(match[1])}"


NUMBERS: tuple[Rewrite, ...] = (
    # English thousands: three zeros are no decimals
    rewrite(r"(?<![\w.,])\d{1,3}(?:,000){1,4}(?!\w|[.,]\d)", lambda m: m[0].replace(",", "")),
    rewrite(
        r"(?<![\w.,])(?!1[89]00\d{4}(?!\d|\s?(?:đ|VN|USD)))[1-9]\d{3,8}000(?!\w|[.,]\d)", _plain
    ),
    rewrite(r"(?<![\w.,])0\.(\d{3})(?![.,]?\d)", _thousandths),
    rewrite(r"(?<=\d)\s?\*\s?(?=\d)", " \u00d7 "),
)

FRACTIONS: tuple[Rewrite, ...] = (
    # number of a house or a class: with a slash, however small
    rewrite(
        r"(?<!\w)((?i:số|nhà|hẻm|ngõ|ngách|kiệt|lô|lớp|tổ|căn)) (\d{1,4})/(?=\d{1,4}(?![\w/]))",
        r"\1 \2 trên ",
    ),
    rewrite(r"(?<![\d/.,])50/50(?![\d/])", "năm mươi năm mươi"),
    rewrite(r"(?<![\w/.,])(\d)\s(?=\d/\d(?![\d/]))", r"\1 và "),
    rewrite(r"(?<=\d)\s?(?=[\u00bc-\u00be\u2150-\u215e])", " và "),
    rewrite(r"(?<![\w/.,])(\d{1,3})/(\d{1,2}|100|1000)(?![\w/]|[.,]\d)", _fraction),
    rewrite(r"(?<![\w/.,])(\d{1,4})/(\d{1,6})(?![\w/]|[.,]\d)", r"\1 trên \2"),
    rewrite(r"(?<=\d)/(\d{1,4})([A-Z])(?!\w)", lambda m: f"/{m[1]} {spelled(m[2])}"),
)

SIGNS: tuple[Rewrite, ...] = (
    rewrite(r"(?:(?<=^)|(?<=[\s(:=]))-(?=\d)", "âm "),
    rewrite(r"(?<=[sS]ố )#(?=\d)", ""),
    rewrite(r"(?<![\w#])#\s?(?=\d)|(?<!\w)N[oº°]\.?\s?(?=\d)", "số "),
)


def _counted(match: re.Match[str]) -> str:
    return f"{match[1]}{cardinal(int(match[2]))}"


# Between words without accents the library counts in English: "mua five cam", "wi fi six".
COUNTS: tuple[Rewrite, ...] = (
    # Five years: before a number the library treats the second of two equal words as a typo.
    rewrite(r"(?<!\w)[nN]ăm năm(?!\w)", "5 năm"),
    rewrite(
        r"((?<=[A-Za-z]{2})\s)(0|[1-9]\d{0,6})(?=\s(?=[A-Za-z]*[aeiou])(?!ha\b|bar\b|lux\b|oz\b)"
        r"[A-Za-z]{3,}(?!\w)|[.,;:!?)]*(?:\s?$|(?<=[^\s\d])\s))",
        _counted,
    ),
    rewrite(
        r"((?<=[A-Za-z]{2})\s)(0|[1-9]\d{0,6}),(\d{1,6})(?=[.;:!?)]*\s?$)",
        lambda m: f"{_counted(m)} phẩy {digit_by_digit(m[3])}",
    ),
)
