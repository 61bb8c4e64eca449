"""Short forms: titles, places, offices, acronyms; and codes of letters and digits."""

from __future__ import annotations

import re

from vieneu_core.text.numerals import cardinal, digit_by_digit, english_spelled, spelled
from vieneu_core.text.rewriting import Rewrite, one_of, rewrite

_WITH_STOP = {
    "ThS": "thạc sĩ",
    "TS": "tiến sĩ",
    "GS": "giáo sư",
    "PGS": "phó giáo sư",
    "BS": "bác sĩ",
    "KS": "kỹ sư",
    "LS": "luật sư",
    "DS": "dược sĩ",
    "ĐD": "điều dưỡng",
    "TP": "thành phố",
    "Tp": "thành phố",
    "TX": "thị xã",
    "Tx": "thị xã",
    "TT": "thị trấn",
    "Q": "quận",
    "P": "phường",
    "F": "phường",
    "H": "huyện",
    "X": "xã",
    "Đ": "đường",
    "ĐC": "địa chỉ",
    "ĐT": "điện thoại",
    "SĐT": "số điện thoại",
    "Tel": "điện thoại",
    "tr": "trang",
    "No": "số",
}
"""Read so where a full stop or a colon follows."""
_ALONE = {
    "UBND": "ủy ban nhân dân",
    "HĐND": "hội đồng nhân dân",
    "HĐQT": "hội đồng quản trị",
    "GĐ": "giám đốc",
    "PGĐ": "phó giám đốc",
    "CT": "chủ tịch",
    "BCH": "ban chấp hành",
    "BHXH": "bảo hiểm xã hội",
    "BHYT": "bảo hiểm y tế",
    "THPT": "trung học phổ thông",
    "THCS": "trung học cơ sở",
    "ĐH": "đại học",
    "CĐ": "cao đẳng",
    "GD&ĐT": "giáo dục và đào tạo",
    "GDĐT": "giáo dục đào tạo",
    "CSGT": "cảnh sát giao thông",
    "PCCC": "phòng cháy chữa cháy",
    "ATGT": "an toàn giao thông",
    "TNGT": "tai nạn giao thông",
    "CLB": "câu lạc bộ",
    "KCN": "khu công nghiệp",
    "BQL": "ban quản lý",
    "SĐT": "số điện thoại",
    "VN": "Việt Nam",
    "HN": "Hà Nội",
    "SG": "Sài Gòn",
    "HCM": "Hồ Chí Minh",
    "TPHCM": "thành phố Hồ Chí Minh",
    "ĐBSCL": "đồng bằng sông Cửu Long",
    "QL": "quốc lộ",
    "TL": "tỉnh lộ",
    "BKS": "biển kiểm soát",
    "TV": "ti vi",
    "OK": "ô kê",
    "AI": "ây ai",
    "IT": "ai ti",
    "CEO": "xi i âu",
    "CV": "xi vi",
    "USB": "u ét bê",
    "UPS": "u pê ét",
    "IP": "ai pi",
    "ATM": "ây ti em",
    "AQI": "ây quy ai",
    "UV": "u vê",
    "API": "ây pi ai",
    "URL": "u rờ lờ",
    "LED": "lét",
    "SIM": "sim",
    "PIN": "pin",
    "GPS": "gi pi ét",
    "FM": "ép em",
    "AM": "ây em",
    "CO": "xê ô",
    "IELTS": "ai eo",
    "EU": "i u",
    "UAE": "u a e",
    "USA": "u ét a",
    "AC": "a xê",
    "DIY": "đê i y",
    "OTP": "ô tê pê",
    "EVN": "e vê nờ",
    "HOSE": "hô xê",
    "IOT": "ai âu ti",
    "IoT": "ai âu ti",
    "ICU": "ai xi iu",
    "WHO": "đắp liu hát âu",
    "UFO": "u ép ô",
}
"""Read so where they stand alone, written just like this."""
_STOPPED = one_of(_WITH_STOP)
_STANDING = one_of(_ALONE)
_READ_AS_NUMBER = 2
"""Digits of a code at most: B12 is twelve, VN123 one two three."""
_CONSONANTS = "BCDĐFGHJKLMNPQRSTVWXZ"


def _code(match: re.Match[str]) -> str:
    """Read a code: its letters by name, up to two digits as a number, more one by one."""
    letters, digits = match[1], match[2]
    short = len(digits) <= _READ_AS_NUMBER and not digits.startswith("0")
    number = digits if short else digit_by_digit(digits)
    return f"{_ALONE.get(letters) or spelled(letters)} {number}"


def _plate(match: re.Match[str]) -> str:
    groups = ", ".join(map(digit_by_digit, filter(None, match.groups()[2:])))
    return f"{match[1]} {spelled(match[2])}, {groups}"


ABBREVIATIONS: tuple[Rewrite, ...] = (
    rewrite(r"(?<!\w)(?:TP|Tp|tp)\.?\s?(?:HCM|Hcm|hcm)(?!\w)", "thành phố Hồ Chí Minh"),
    rewrite(r"(?<!\w)(?:TP|Tp|tp)\.?\s?HN(?!\w)", "thành phố Hà Nội"),
    # 30A-123.45, 29A-12345, 59X1-234.56
    rewrite(r"(?<!\w)(\d{2})-?([A-Z]{1,2}\d?)[ -](\d{3})\.?(\d{2})(?![\w.])", _plate),
    rewrite(r"(?<!\w)PM\s?(\d{1,2})[.,](\d)(?!\d)", r"pi em \1 chấm \2"),
    rewrite(r"(?<!\w)PM\s?(10|1)(?![\d.,:]\d|\w)", lambda m: f"pi em {cardinal(int(m[1]))}"),
    rewrite(r"(?<!\w)QL\s?\.?(?=\d)", "quốc lộ "),
    rewrite(r"(?<!\w)(?:TL|ĐT)\s?(?=\d{3}(?!\d))", "tỉnh lộ "),
    rewrite(rf"(?<!\w)({_STOPPED})\.\s?(?=[\wĐ])", lambda m: f"{_WITH_STOP[m[1]]} "),
    rewrite(r"(?<!\w)(ĐC|ĐT|SĐT|Tel)\s?(?=:)", lambda m: _WITH_STOP[m[1]]),
    rewrite(rf"(?<![\w&]){_STANDING}(?![\w&]|\.\w)", lambda m: _ALONE[m[0]]),
    rewrite(r"(?<!\w)MP([34])(?!\w)", lambda m: f"em pi {digit_by_digit(m[1])}"),
    rewrite(
        r"(?<!\w)(CEO|CTO|CFO|VIP|PC|DJ|MC|VR|AR|PR|HR|BBC|CNN|HBO|CPU|GPU|RAM)(?!\w)",
        lambda m: "ram" if m[0] == "RAM" else english_spelled(m[0]),
    ),
    # Codes: B12, VTV1, VN123, A380; not the formulas that the library knows, not F0 of COVID.
    rewrite(
        r"(?<!\w)(?!CO2|H2O|O2|N2|F\d|A\d(?!\d)|B\d(?!\d))([A-ZĐ]{1,4})-?(\d{1,6})(?!\w|[.,:/]\d)",
        _code,
    ),
    # Consonants alone are no word: FPT, HTV, SMS, DVD, XL.
    rewrite(rf"(?<![\w&])[{_CONSONANTS}]{{2,5}}(?![\w&])", lambda m: spelled(m[0])),
)
