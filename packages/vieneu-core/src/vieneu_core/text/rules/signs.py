"""Signs between and around words: operators, comparisons, per cent, arrows."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from vieneu_core.text.rules.numerals import LETTERS, NUMBER, cardinal, said_number
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

NAMES = {
    "%": "phần trăm",
    "$": "đô la",
    "#": "thăng",
    "‰": "phần nghìn",
    "‱": "phần vạn",
    "°": "độ",
    "&": "và",
    "@": "a còng",
    "+": "cộng",
    "=": "bằng",
    "×": "nhân",
    "÷": "chia",
    "±": "cộng trừ",
    "∓": "trừ cộng",
    "≤": "nhỏ hơn hoặc bằng",
    "≥": "lớn hơn hoặc bằng",
    "<": "nhỏ hơn",
    ">": "lớn hơn",
    "≠": "khác",
    "≈": "xấp xỉ",
    "≡": "đồng nhất với",
    "∞": "vô cùng",
    "√": "căn bậc hai",
    "∛": "căn bậc ba",
    "∑": "tổng",
    "∏": "tích",
    "∫": "tích phân",
    "∂": "đạo hàm riêng",
    "∆": "đen ta",
    "∈": "thuộc",
    "∉": "không thuộc",
    "∅": "rỗng",
    "∩": "giao",
    "∪": "hợp",
    "⊂": "là tập con của",
    "∀": "với mọi",
    "∃": "tồn tại",
    "⇒": "suy ra",
    "⇔": "tương đương",
    "¬": "không",
    "∠": "góc",
    "⊥": "vuông góc",
    "∥": "song song",
    "→": "đến",
    "⇄": "đổi chiều",
    "↔": "và",
    "←": "từ",
    "^": "mũ",
    "~": "khoảng",
}
GREEK = {
    "α": "an pha",
    "β": "bê ta",
    "γ": "gam ma",
    "δ": "đen ta",
    "ε": "ép xi lon",
    "θ": "thê ta",
    "λ": "lam đa",
    "µ": "muy",
    "π": "pi",
    "ρ": "rô",
    "σ": "xích ma",
    "τ": "tô",
    "φ": "phi",
    "ω": "ô mê ga",
    "Δ": "đen ta",
    "Σ": "xích ma",
    "Ω": "ô mê ga",
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_ARITHMETIC = re.compile(r"[=+×÷]|nhân|chia")
_LARGEST_DENOMINATOR = 1_000
_FRACTION = re.compile(r"[\u00bc-\u00be\u2150-\u215e]")


def fraction_words(above: int, below: int) -> str:
    """Return a fraction in words: 3/4 is "ba phần tư"."""
    return f"{cardinal(above)} phần {'tư' if below == 4 else cardinal(below)}"  # noqa: PLR2004 - quarters


def _fraction(match: re.Match[str]) -> str:
    value = Fraction(unicodedata.numeric(match[0])).limit_denominator(_LARGEST_DENOMINATOR)
    return f" {fraction_words(value.numerator, value.denominator)} "


def _power(match: re.Match[str]) -> str:
    exponent = match[0].translate(_SUPERSCRIPTS)
    minus = "trừ " if "-" in exponent else ""
    if "⁺" in exponent or "ⁿ" in exponent:
        return f" mũ {'n' if 'ⁿ' in exponent else 'cộng'} "
    digits = exponent.strip("-")
    return f" mũ {minus}{said_number(digits)} " if digits else " "


def _named(match: re.Match[str]) -> str:
    return f" {NAMES[match[0]]} "


def _letter_minus(match: re.Match[str]) -> str:
    return f"{match[1]} trừ "


def _is_greek(match: re.Match[str]) -> str:
    return f" {GREEK[match[0]]} "


SIGN_WORDS: tuple[Rewrite, ...] = (
    # Comparisons: brackets around words were removed before.
    rewrite(r"<(?=\s?\S)", " nhỏ hơn "),
    rewrite(r">(?=\s?\S)", " lớn hơn "),
    # 5 - 3 = 2, a - b = c
    rewrite(r"(?<=\d)\s?-\s?(?=\d[\d.,]{0,14}\s?=)", " trừ "),
    rewrite(r"(?<!\w)([a-z])\s?-\s(?=[a-z]\s?=)", _letter_minus),
    rewrite(r"(?<=\d) - (?=\d)", lambda m: " trừ " if _ARITHMETIC.search(m.string) else ", "),
    # x3, pin AA x 2
    rewrite(
        r"(?<!\w)(?<![=+(,<>≤≥×±-] )(?<![=+(,<>≤≥×±-])[xX]\s?(?=\d{1,3}(?!\w|\s?[=+<>≤≥×±^,-]))",
        " nhân ",
    ),
    rewrite(r"(?<![\w.,])(\d{1,3}(?:[.,]\d)?)[xX](?!\w)", r"\1 lần"),
    # sizes and products: 60x40x30, 5 x 3, a x b
    rewrite(r"(?<![\w.])([A-Za-z]) [x×] (?=[A-Za-z](?!\w))", r"\1 nhân "),
    rewrite(r"(?<=\d)\s?[xX×]\s?(?=\d)", " nhân "),
    rewrite(r"(?<=m)\s?[xX×]\s?(?=\d)", " nhân "),
    rewrite(r"(?<=\d)\s?\*\s?(?=\d)", " nhân "),
    rewrite(r"(?<=\d) : (?=\d)", " chia "),
    # a divided by b, and what stands in brackets
    rewrite(r"(?<![\w/])(?!n/a|w/o|c/o|d/c)([a-z](?: mũ \w+)?)/(?=[a-z\d](?![\w/]))", r"\1 trên "),
    rewrite(r"(?<=\))/(?=[\w(])|(?<=\w)/(?=\()", " trên "),
    rewrite(_FRACTION.pattern, _fraction),
    rewrite(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", _power),
    rewrite(r"(?<=\w)\^-(?=\d)", " mũ trừ "),
    rewrite("[" + re.escape("".join(NAMES)) + "]", _named),
    rewrite("(?<![^\\W\\d_])[" + "".join(GREEK) + "](?![^\\W\\d_])", _is_greek),
    rewrite(r"C\+\+", " xê cộng cộng "),
)


def _number(match: re.Match[str]) -> str:
    return f" {said_number(match[0])} "


NUMBER_WORDS: tuple[Rewrite, ...] = (
    rewrite(r"(?:(?<=^)|(?<=[\s(:=,]))-(?=\d)", " âm "),
    # 5/6 of what no rule knows, 5 V/2 A
    rewrite(r"(?<=\w)\s{0,2}/(?=\d)", " trên "),
    rewrite(r"(?<=\d)%", " phần trăm"),
    rewrite(r"(?<=\d):\s(?=\d)", ", "),
    rewrite(r"(?<=\d)\s?:\s?(?=\d)", " "),
    rewrite(NUMBER, _number),
)


def _letter(match: re.Match[str]) -> str:
    return LETTERS[match[0].lower()]


LETTER_WORDS: tuple[Rewrite, ...] = (
    # A letter alone is said by its name; vowels are their own names.
    rewrite(r"(?<![\w'])[bcdđfghjklmnpqrstvwxzâăBCDĐFGHJKLMNPQRSTVWXZÂĂ](?![\w'])", _letter),
)
