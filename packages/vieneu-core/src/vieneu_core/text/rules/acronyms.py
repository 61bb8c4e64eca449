"""Acronyms, Vietnamese and English, and codes of letters and digits."""

from __future__ import annotations

import re

from vieneu_core.text.rules.acronym_words import VIETNAMESE
from vieneu_core.text.rules.numerals import (
    cardinal,
    digit_by_digit,
    english_spelled,
    spelled,
)
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite
from vieneu_core.text.rules.roman import roman_value
from vieneu_core.text.rules.technical_acronyms import TECHNICAL

_ENGLISH = re.compile(
    r"CEO|CTO|CFO|PC|DJ|MC|VR|AR|PR|HR|BBC|CNN|HBO|CPU|GPU|NFC|HDMI|QR|LCD|KPI|CPI|FDI|GDP|IMF|WTO"
    r"|WHO|FBI|CIA|GPT|MRI|ECG|BMI|PCR|NBA|IQ|EQ"
)
"""Spelled with English letter names by Vietnamese speakers too."""
ALONE = VIETNAMESE | TECHNICAL
_STANDING = one_of(ALONE)
_READ_AS_NUMBER = 2
"""Most digits of a code that are read as a number: B12 is twelve, VN123 one two three."""
_MOSTLY, _LONG = 0.7, 15
_SYLLABLE = re.compile(
    "(?:B|C|D|Đ|G|H|K|L|M|N|P|Q|R|S|T|V|X|CH|GH|GI|KH|NG|NGH|NH|PH|QU|TH|TR)?"
    "(?:[AEIOUY]|AI|AO|AU|AY|EO|IA|IE|IU|OA|OE|OI|UA|UE|UI|UO|UY|UU|UOI|UOU|IEU|OAI|OAY|UAY|UYE"
    "|YE|YEU|UYA)"
    "(?:C|CH|M|N|NG|NH|P|T)?"
)
_LIKE_A_WORD = re.compile(
    "(?![AEIOUY]+$)(?:[BCDFGHJKLMNPQRSTVWXZ]{0,2}[AEIOUY]{1,2}){2,5}[BCDFGHJKLMNPQRSTVWXZ]{0,2}"
    "|AIDS|COVID"
)
_CONSONANTS = "BCDĐFGHJKLMNPQRSTVWXZ"


def _code(match: re.Match[str]) -> str:
    """Spell a code: letters by name, up to two digits as a number, more one by one."""
    letters, digits = match[1], match[2]
    short = len(digits) <= _READ_AS_NUMBER and not digits.startswith("0")
    number = cardinal(int(digits)) if short else digit_by_digit(digits)
    spell = english_spelled if _ENGLISH.fullmatch(letters) else spelled
    return f"{ALONE.get(letters) or spell(letters)} {number}"


def _initials(match: re.Match[str]) -> str:
    return spelled(match[0].replace(".", ""))


def _unknown(match: re.Match[str]) -> str:
    """Spell capitals that are no syllable and look like no word: IBM, AFC; not LAN, NASA."""
    word = match[0]
    if _SYLLABLE.fullmatch(word) or _LIKE_A_WORD.fullmatch(word) or _in_capitals(match.string):
        return word
    return spelled(word)


def _in_capitals(sentence: str) -> bool:
    """Return whether the whole sentence is written in capitals."""
    letters = [char for char in sentence if char.isalpha()]
    is_long = len(letters) > _LONG or any(char.isupper() and char > "z" for char in letters)
    return is_long and sum(map(str.isupper, letters)) > len(letters) * _MOSTLY


def _and(match: re.Match[str]) -> str:
    """Spell R&D in English, including the sign."""
    return f"{english_spelled(match[1])} en {english_spelled(match[2])}"


_TEAMS = (
    r"Anh|Pháp|Đức|Ý|Italia|Bỉ|Hà Lan|Bồ Đào Nha|Tây Ban Nha|Croatia|Argentina|Brazil|Mỹ|Úc"
    r"|Australia|Trung Quốc|Triều Tiên|Lào|Campuchia|Singapore|Myanmar|Philippines|Iran|Iraq|UAE"
    r"|Qatar|Nga|quốc gia|bóng|futsal"
)

ACRONYMS: tuple[Rewrite, ...] = (
    rewrite(r"(?<!\w)v\.\s?v(?!\w)", "vân vân"),
    rewrite(
        r"(?<!\w)(?<!số )ĐT(?= (?:Việt Nam|VN|Thái|Hàn|Nhật|Indonesia|Malaysia|nữ|nam|U\d"
        rf"|(?:{_TEAMS})(?! [A-ZĐ0-9(]|:)))",
        "đội tuyển",
    ),
    rewrite(rf"(?<![\w&]){_STANDING}(?![\w&]|\.\w)", lambda m: ALONE[m[0]]),
    rewrite(r"(?<!\w)U\.?(?=\d\d(?!\w))", "u "),
    rewrite(r"(?<!\w)VN(?=\d{2,3}(?!\w))", "vê en "),
    rewrite(r"(?<!\w)V\.?-?League(?!\w)", "vê league"),
    rewrite(r"(?<!\w)MP([34])(?!\w)", lambda m: f"em pi {digit_by_digit(m[1])}"),
    rewrite(rf"(?<![\w&])(?:{_ENGLISH.pattern})(?![\w&]|-\d)", lambda m: english_spelled(m[0])),
    rewrite(r"(?<![\w&])(AT|[BDFHJMOPQRS])&([ABDGJMPT])(?![\w&])", _and),
    rewrite(r"(?<=[A-Z]\d\d)-(I{1,3}|IV|V)(?!\w)", lambda m: f" {roman_value(m[1])}"),
    rewrite(r"(?<![\w.])(?:[A-ZĐ]\.){1,5}[A-ZĐ](?!\w)(?:\.(?=\s[^\WA-ZĐ]))?", _initials),
    # Codes: B12, VTV1, VN123, A380; not formulas that the library knows, not F0 of COVID.
    rewrite(
        r"(?<!\w)([A-ZĐ]{1,4})-?(\d{1,6})(?!\w|[.,:/]\d)",
        _code,
    ),
    rewrite(r"(?<=[a-z])2(?=[A-Z]{2})", " hai "),  # Zigbee2MQTT
    # ESPHome, TPLink
    rewrite(r"(?<!\w)([A-Z]{2,4})([A-Z][a-z]{2,20})(?!\w)", lambda m: f"{spelled(m[1])} {m[2]}"),
    # Consonants alone are no word: FPT, HTV, DVD, XL.
    rewrite(rf"(?<![\w&])[{_CONSONANTS}]{{2,10}}(?![\w&])", lambda m: spelled(m[0])),
    rewrite(r"(?<![\w&.'-])[A-ZĐ]{2,5}(?![\w&'])", _unknown),
)
