"""Characters that stand for words or other characters, and marks without meaning."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from vieneu_core.text.clean import one_line
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

# Meaningful characters that the library drops silently (listed by its `audit`).
SPOKEN = {
    "‰": " phần nghìn ",
    "‱": " phần vạn ",
    "§": " mục ",
    "№": " số ",
    "☎": " điện thoại ",
    "☏": " điện thoại ",
    "℡": " điện thoại ",
    "📞": " điện thoại ",
    "↑": " tăng ",
    "↓": " giảm ",
    "♀": " nữ ",
    "♂": " nam ",
    "∼": " khoảng ",
    "≃": " xấp xỉ ",
    "≪": " nhỏ hơn nhiều ",
    "≫": " lớn hơn nhiều ",
    "∄": " không tồn tại ",
    "⊄": " không là tập con của ",
    "∬": " tích phân kép ",
    "ℓ": "l",
    "℮": "",
    "™": "",
    "®": "",
    "℠": "",
    "∓": " trừ cộng ",
    "©": " bản quyền ",
}
# Other forms of a character that is read.
SAME_AS = {
    "−": "-",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "–": "-",
    "﹣": "-",
    "—": " - ",
    "―": " - ",
    "⁄": "/",
    "∕": "/",
    "∶": ":",
    "∗": "×",
    "′": "'",
    "’": "'",
    "‘": "'",
    "ʼ": "'",
    "″": '"',
    "“": '"',
    "”": '"',
    "„": '"',
    "。": ". ",
    "、": ", ",
    "・": " ",
    "⁇": "?",
    "‽": "?!",
    "μ": "µ",
    "〜": "~",
    "⅐": " 1/7",
    "⅑": " 1/9",
    "⅒": " 1/10",
    "≦": "≤",
    "≧": "≥",
    "\ufe0e": "",
    "\ufe0f": "",
}
_SUPERSCRIPTS = "²³¹⁰⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"
_KEPT = _SUPERSCRIPTS + "¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞…µ°"


_LARGEST_DENOMINATOR = 1_000


class _Readable:
    """Mapping for `str.translate`.

    Args:
        names: Words for characters.
        over: Word between the numbers of a fraction.
    """

    def __init__(self, names: dict[str, str], over: str) -> None:
        self._names = names
        self._over = over

    def __getitem__(self, code_point: int) -> str:
        char = chr(code_point)
        if char in SAME_AS:
            return SAME_AS[char]
        if char in self._names:
            return self._names[char]
        if code_point < 0x80 or char in _KEPT:  # noqa: PLR2004 - ASCII
            return char
        return _number(char) or self._fraction(char) or _compatible(char)

    def _fraction(self, char: str) -> str:
        """Return a fraction of any script, such as the Bengali ones of the rupee, as digits."""
        value = unicodedata.numeric(char, 0.0)
        if value.is_integer() or unicodedata.category(char) != "No":
            return ""
        fraction = Fraction(abs(value)).limit_denominator(_LARGEST_DENOMINATOR)
        return f" {fraction.numerator} {self._over} {fraction.denominator} "


def _number(char: str) -> str:
    """Return digits of other scripts, numbers in circles and Roman numeral characters as digits."""
    if unicodedata.category(char) == "Nd":
        return str(unicodedata.decimal(char))
    value = unicodedata.numeric(char, -1.0)
    is_number = unicodedata.category(char)[0] == "N" and value >= 0 and value.is_integer()
    return f" {value:.0f} " if is_number and "SUB" not in unicodedata.name(char, "") else ""


def _compatible(char: str) -> str:
    """Return a full-width, squared or joined character as the plain characters it stands for."""
    plain = unicodedata.normalize("NFKC", char)
    if unicodedata.category(char) == "So" and plain == char:
        return " "  # pictures and box-drawing characters
    return plain if unicodedata.category(char)[0] != "L" or plain != char else _latin(char)


def _latin(char: str) -> str:
    """Return a foreign Latin letter that Vietnamese does not use as its base letter."""
    if char in _VIETNAMESE or not unicodedata.name(char, "").startswith("LATIN"):
        return char
    base = unicodedata.normalize("NFD", char)[0]
    return _LATIN_LETTERS.get(char, base)


_VIETNAMESE = frozenset(
    "àáạảãâầấậẩẫăằắặẳẵèéẹẻẽêềếệểễìíịỉĩòóọỏõôồốộổỗơờớợởỡùúụủũưừứựửữỳýỵỷỹđ"
    "ÀÁẠẢÃÂẦẤẬẨẪĂẰẮẶẲẴÈÉẸẺẼÊỀẾỆỂỄÌÍỊỈĨÒÓỌỎÕÔỒỐỘỔỖƠỜỚỢỞỠÙÚỤỦŨƯỪỨỰỬỮỲÝỴỶỸĐ"
)
_LATIN_LETTERS = {
    "ł": "l",
    "Ł": "L",
    "ø": "o",
    "Ø": "O",
    "ß": "ss",
    "ı": "i",
    "æ": "ae",
    "Æ": "Ae",
    "œ": "oe",
    "Œ": "Oe",
    "ð": "đ",
    "Ð": "Đ",
    "ɖ": "đ",
    "Ɖ": "Đ",
    "þ": "th",
    "Þ": "Th",
}

_EMOTICON = r"(?:[:;=]-?[)(DdPpOovV3]+|[:;]'\(|\^_?\^|=\)+|:\)+|:\(+|T_T|<3|=\.=|-_-|>_<|\^\.\^)"

_TAG = (
    r"/[A-Za-z][\w:-]{0,30}\s?|[A-Za-z][\w:-]{0,30}\s?/"
    r"|[A-Za-z][\w:-]{0,30}\s[^<>]{0,200}?=[^<>]{0,200}"
    r"|(?:a|b|i|u|s|p|br|hr|em|strong|small|big|sub|sup|code|pre|kbd|span|div|font|center|img|ul|ol"
    r"|li|table|tr|td|th|h[1-6]|blockquote|speak|break|prosody|voice|emphasis|phoneme|say-as|audio"
    r"|think|en|math)"
)


def _unbracketed(match: re.Match[str]) -> str:
    """Return the words in brackets; a mark that follows stays with them: "<Bếp 1>: 27"."""
    return f" {match[1]}{'' if match.string[match.end() :][:1] in {*':,.;!?'} else ' '}"


_MARKS: tuple[Rewrite, ...] = (
    # arrows and comparison operators of programs
    rewrite(r"[-=]{1,2}>", "\u2192"),
    rewrite(r">=", "\u2265"),
    rewrite(r"<=|=<", "\u2264"),
    rewrite(r"!=", "\u2260"),
    rewrite(r"==", "="),
    rewrite(r"^(?:[*+\u2022]\s|[\u2192\u21d2\u27a1]\ufe0f?)+", ""),
    # Tags of the web and of speech markup are no text; neither is a special token of a model.
    rewrite(rf"<\|[^<>|]{{0,80}}\|>|<(?:{_TAG}|!--[^<>]{{0,200}}--)>", " "),
    # Brackets around words; any other is a comparison.
    rewrite(r"(?<![^\s(,.])<(?=[^\W\d])([^<>]{0,80}[\w.!?])>(?!\s?\d|\w)", _unbracketed),
    # Formulas of LaTeX: $x^2$
    rewrite(r"\$(?=[^\W\d\s]|\\)([^$]{1,80})(?<=[\w})])\$(?!\d)", r" \1 "),
    # Line breaks as a program writes them
    rewrite(r"\\[nrt](?![a-zà-ỹ]{2}\w*\\|:)", " "),
    rewrite(rf"(?<!\S){_EMOTICON}(?=[\s.,!?]|$)", " "),
    rewrite(r"(?<=\d)\s?[\u2605\u2606\u2b50]", " sao "),
    # numbers that are dialled, and those that are masked, before marks of emphasis
    rewrite(r"(?<!\w)\*(?=\d{2,4}(?:\*\d{1,4})?#)", "sao "),
    rewrite(r"(?<!\w)\*{3,8}(?=\d{3,6}(?!\w|\*))", "xxx"),
    rewrite(r"~~|```?|`|(?<!\w)[*_]+(?=\w)|(?<=\w)[*_]+(?!\w)", " "),
    rewrite(r"(?<!\S)#{1,6}(?=\s)", " "),
    # An eth is a mistyped đ, but not within a word of Iceland: Guðrún
    rewrite(r"(?<=[^\W\d_])ð(?=[^\W\d_]{0,20}[aeiouyáéíóúaöü])", "d"),
)

_TABLES = {
    "vi": _Readable(SPOKEN, "phần"),
    "en": _Readable({c: word for c, word in SPOKEN.items() if not word.strip(" ")}, "over"),
}


def readable(text: str, language: str = "vi") -> str:
    """Return a sentence in one line, with marks removed and special characters replaced.

    Args:
        text: The sentence.
        language: ``vi`` gives some characters their Vietnamese names; ``en`` leaves them.
    """
    line = one_line(text)
    for mark in _MARKS:
        line = mark(line)
    return one_line(line.translate(_TABLES[language]))


_ALLOWED_MARKS = ".,!?'"
_PAUSES = re.compile(r"[:;()\[\]{}\"|…]| [-/] | /|/ ")


def only_words(text: str) -> str:
    """Return a text with only letters, spaces, and the marks . , ! ? and '."""
    paused = _PAUSES.sub(", ", text)
    kept = "".join(c if c.isalpha() or c in _ALLOWED_MARKS else " " for c in paused)
    kept = re.sub(r"(?<![^\W\d_])'|'(?![^\W\d_])", " ", kept)
    kept = re.sub(r"\s+(?=[.,!?])", "", " ".join(kept.split()))
    kept = re.sub(r"[.,!?]{2,}", _strongest, kept)
    kept = re.sub(r"(?<=[.,!?])(?=[^\W\d_])", " ", kept)
    return kept.strip(" ,").lstrip(".,!? ")


def _strongest(match: re.Match[str]) -> str:
    return next(mark for mark in "?!.," if mark in match[0])
