"""Acronyms, Vietnamese and English, and codes of letters and digits."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import (
    cardinal,
    digit_by_digit,
    english_spelled,
    roman_value,
    spelled,
)
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

_ALONE = {
    "UBND": "ủy ban nhân dân",
    "HĐND": "hội đồng nhân dân",
    "HĐQT": "hội đồng quản trị",
    "MTTQ": "mặt trận tổ quốc",
    "ĐCSVN": "Đảng cộng sản Việt Nam",
    "CHXHCN": "cộng hòa xã hội chủ nghĩa",
    "CHXHCNVN": "cộng hòa xã hội chủ nghĩa Việt Nam",
    "TTXVN": "thông tấn xã Việt Nam",
    "TW": "trung ương",
    "NĐ": "nghị định",
    "QĐ": "quyết định",
    "GĐ": "giám đốc",
    "PGĐ": "phó giám đốc",
    "TGĐ": "tổng giám đốc",
    "CT": "chủ tịch",
    "BCH": "ban chấp hành",
    "BCĐ": "ban chỉ đạo",
    "BGH": "ban giám hiệu",
    "BQL": "ban quản lý",
    "BQT": "ban quản trị",
    "BTC": "ban tổ chức",
    "BHXH": "bảo hiểm xã hội",
    "BHYT": "bảo hiểm y tế",
    "BHTN": "bảo hiểm thất nghiệp",
    "THPT": "trung học phổ thông",
    "THCS": "trung học cơ sở",
    "ĐH": "đại học",
    "ĐHQG": "đại học quốc gia",
    "ĐHQGHN": "đại học quốc gia Hà Nội",
    "CĐ": "cao đẳng",
    "GD&ĐT": "giáo dục và đào tạo",
    "GD-ĐT": "giáo dục đào tạo",
    "GDĐT": "giáo dục đào tạo",
    "GTVT": "giao thông vận tải",
    "KT-XH": "kinh tế xã hội",
    "ANTT": "an ninh trật tự",
    "CSGT": "cảnh sát giao thông",
    "PCCC": "phòng cháy chữa cháy",
    "ATGT": "an toàn giao thông",
    "TNGT": "tai nạn giao thông",
    "CLB": "câu lạc bộ",
    "LĐBĐ": "liên đoàn bóng đá",
    "HLV": "huấn luyện viên",
    "VĐV": "vận động viên",
    "CĐV": "cổ động viên",
    "HS": "học sinh",
    "SV": "sinh viên",
    "GV": "giáo viên",
    "GVCN": "giáo viên chủ nhiệm",
    "NXB": "nhà xuất bản",
    "KCN": "khu công nghiệp",
    "TNHH": "trách nhiệm hữu hạn",
    "MTV": "một thành viên",
    "CTCP": "công ty cổ phần",
    "Cty": "công ty",
    "RON": "ron",
    "CMND": "chứng minh nhân dân",
    "CCCD": "căn cước công dân",
    "MST": "mã số thuế",
    "STK": "số tài khoản",
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
    "VN-Index": "vi en index",
    "TV": "ti vi",
    "OK": "ô kê",
    "Ok": "ô kê",
    "ok": "ô kê",
    "O.K": "ô kê",
    "AI": "ây ai",
    "IT": "ai ti",
    "IP": "ai pi",
    "CV": "xi vi",
    "USB": "u ét bê",
    "UPS": "u pê ét",
    "ATM": "ây ti em",
    "AQI": "ây quy ai",
    "UV": "u vê",
    "API": "ây pi ai",
    "URL": "u rờ lờ",
    "LED": "lét",
    "OLED": "ô lét",
    "SIM": "sim",
    "PIN": "pin",
    "RAM": "ram",
    "VIP": "víp",
    "WC": "vê xê",
    "GPS": "gi pi ét",
    "SMS": "ét em ét",
    "FM": "ép em",
    "AM": "ây em",
    "CO": "xê ô",
    "VOV": "vê ô vê",
    "BIDV": "bê i đê vê",
    "IELTS": "ai eo",
    "EU": "i u",
    "UAE": "u a e",
    "USA": "u ét a",
    "AC": "a xê",
    "DIY": "đê i y",
    "OTP": "ô tê pê",
    "EVN": "e vê nờ",
    "HOSE": "hô xê",
    "HIV": "hát i vê",
    "ADN": "a đê en",
    "IOT": "ai âu ti",
    "IoT": "ai âu ti",
    "ICU": "ai xi iu",
    "UFO": "u ép ô",
    "iOS": "ai âu ét",
    "iPhone": "iphone",
    "iPad": "ipad",
    "YouTube": "youtube",
    "TikTok": "tiktok",
    "ChatGPT": "chát gi pi ti",
    "SARS-CoV-2": "sác cô vi hai",
    "SpO2": "ét pê ô hai",
    "pH": "pê hát",
    "XL": "ích eo",
    "XXL": "ích ích eo",
    "vv": "vân vân",
}
"""Expanded if they stand alone, in exactly this spelling."""
_ENGLISH = re.compile(
    r"CEO|CTO|CFO|PC|DJ|MC|VR|AR|PR|HR|BBC|CNN|HBO|CPU|GPU|NFC|HDMI|QR|LCD|KPI|CPI|FDI|GDP|IMF|WTO"
    r"|WHO|FBI|CIA|GPT|MRI|ECG|BMI|PCR|NBA|IQ|EQ"
)
"""Spelled with English letter names by Vietnamese speakers too."""
_STANDING = one_of(_ALONE)
_READ_AS_NUMBER = 2
"""Most digits of a code that are read as a number: B12 is twelve, VN123 one two three."""
_CONSONANTS = "BCDĐFGHJKLMNPQRSTVWXZ"


def _code(match: re.Match[str]) -> str:
    """Spell a code: letters by name, up to two digits as a number, more one by one."""
    letters, digits = match[1], match[2]
    short = len(digits) <= _READ_AS_NUMBER and not digits.startswith("0")
    number = cardinal(int(digits)) if short else digit_by_digit(digits)
    spell = english_spelled if _ENGLISH.fullmatch(letters) else spelled
    return f"{_ALONE.get(letters) or spell(letters)} {number}"


def _initials(match: re.Match[str]) -> str:
    return spelled(match[0].replace(".", ""))


def _and(match: re.Match[str]) -> str:
    """Spell R&D in English, including the sign."""
    return f"{english_spelled(match[1])} en {english_spelled(match[2])}"


ACRONYMS: tuple[Rewrite, ...] = (
    rewrite(rf"(?<![\w&]){_STANDING}(?![\w&]|\.\w)", lambda m: _ALONE[m[0]]),
    rewrite(r"(?<!\w)MP([34])(?!\w)", lambda m: f"em pi {digit_by_digit(m[1])}"),
    rewrite(rf"(?<![\w&])(?:{_ENGLISH.pattern})(?![\w&]|-\d)", lambda m: english_spelled(m[0])),
    rewrite(r"(?<![\w&])(AT|[BFHJMOPQRS])&([ABDGJMPT])(?![\w&])", _and),
    rewrite(r"(?<=[A-Z]\d\d)-(I{1,3}|IV|V)(?!\w)", lambda m: f" {roman_value(m[1])}"),
    rewrite(r"(?<![\w.])(?:[A-ZĐ]\.){1,5}[A-ZĐ](?!\w)(?:\.(?=\s[^\WA-ZĐ]))?", _initials),
    # Codes: B12, VTV1, VN123, A380; not formulas that the library knows, not F0 of COVID.
    rewrite(
        r"(?<!\w)(?!CO2|H2O|O2|N2|F\d|A\d(?!\d)|B\d(?!\d))([A-ZĐ]{1,4})-?(\d{1,6})(?!\w|[.,:/]\d)",
        _code,
    ),
    # Consonants alone are no word: FPT, HTV, DVD, XL.
    rewrite(rf"(?<![\w&])[{_CONSONANTS}]{{2,5}}(?![\w&])", lambda m: spelled(m[0])),
)
