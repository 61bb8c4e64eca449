"""Units of measurement: "20 µg/m³" is "hai mươi mic rô gam trên mét khối"."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import NUMBER, digit_by_digit, said_number
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

_PREFIXED = {
    # base unit: its word, and the prefixes that are used with it
    "m": ("mét", "k c d m µ n h"),
    "g": ("gam", "k m µ"),
    "l": ("lít", "m c d h"),
    "L": ("lít", "m c d h"),
    "W": ("oát", "k M G m"),
    "Wh": ("oát giờ", "k M G m"),
    "V": ("vôn", "k m µ"),
    "A": ("am pe", "k m µ"),
    "Ah": ("am pe giờ", "k m"),
    "VA": ("vôn am pe", "k M"),
    "Hz": ("héc", "k M G"),
    "Pa": ("pát can", "k M h"),
    "bar": ("ba", "m"),
    "J": ("giun", "k M"),
    "cal": ("ca lo", "k"),
    "N": ("niu tơn", "k"),
    "Ω": ("ôm", "k M m"),
    "F": ("pha ra", "m µ n p"),
    "s": ("giây", "m µ n"),
    "B": ("bai", "k K M G T P"),
    "b": ("bít", "k K M G"),
    "bit": ("bít", "k K M G"),
    "bps": ("bít trên giây", "k K M G"),
    "p": ("pích xeo", "M"),
    "P": ("pích xeo", "M"),
    "mol": ("mon", "m µ"),
    "Gy": ("gờ ray", "m µ"),
    "Sv": ("xi vớt", "m µ"),
    "S": ("xi men", "m µ"),
    "T": ("te xla", "m µ"),
    "H": ("hen ri", "m µ"),
    "K": ("ken vin", ""),
}
_PREFIXES = {
    "k": "ki lô",
    "K": "ki lô",
    "M": "mê ga",
    "G": "gi ga",
    "T": "tê ra",
    "P": "pê ta",
    "h": "héc tô",
    "d": "đề xi",
    "c": "xen ti",
    "m": "mi li",
    "µ": "mic rô",
    "n": "na nô",
    "p": "pi cô",
}
_BARE = ("m", "g", "l", "L", "W", "Wh", "V", "Ah", "VA", "Hz", "Pa", "bar", "cal", "N", "Ω", "s")
"""Base units that also follow a number without a prefix; a lone A, B, K or F is a name."""
_OTHER = {
    "°C": "độ xê",
    "°F": "độ ép",
    "°K": "độ ken vin",
    "°": "độ",
    "Nm": "niu tơn mét",
    "kgf": "ki lô gam lực",
    "ha": "héc ta",
    "cc": "xê xê",
    "lux": "lux",
    "lx": "lux",
    "lm": "lu men",
    "cd": "can đê la",
    "ppm": "phần triệu",
    "ppb": "phần tỷ",
    "mmHg": "mi li mét thủy ngân",
    "psi": "pi ét ai",
    "PSI": "pi ét ai",
    "atm": "át mốt phe",
    "rpm": "vòng trên phút",
    "RPM": "vòng trên phút",
    "v/ph": "vòng trên phút",
    "v/p": "vòng trên phút",
    "vg/ph": "vòng trên phút",
    "vg/p": "vòng trên phút",
    "r/min": "vòng trên phút",
    "v/min": "vòng trên phút",
    "vòng/ph": "vòng trên phút",
    "nhịp/ph": "nhịp trên phút",
    "lần/ph": "lần trên phút",
    "bpm": "nhịp trên phút",
    "fps": "khung hình trên giây",
    "FPS": "khung hình trên giây",
    "kph": "ki lô mét trên giờ",
    "mph": "dặm trên giờ",
    "mi": "dặm",
    "inch": "inh",
    "in": "inh",
    "ft": "phít",
    "lb": "pao",
    "lbs": "pao",
    "oz": "ao xơ",
    "dB": "đề xi ben",
    "dBA": "đề xi ben a",
    "dB(A)": "đề xi ben a",
    "dBm": "đề xi ben mi li oát",
    "dBi": "đề xi ben i",
    "VDC": "vôn đê xê",
    "VAC": "vôn a xê",
    "Vdc": "vôn đê xê",
    "Vac": "vôn a xê",
    "kVAr": "ki lô va",
    "kVAR": "ki lô va",
    "kWp": "ki lô oát pích",
    "MWp": "mê ga oát pích",
    "Wp": "oát pích",
    "KW": "ki lô oát",
    "KWh": "ki lô oát giờ",
    "KWH": "ki lô oát giờ",
    "kwh": "ki lô oát giờ",
    "kw": "ki lô oát",
    "Kg": "ki lô gam",
    "KG": "ki lô gam",
    "Km": "ki lô mét",
    "KM": "ki lô mét",
    "Km/h": "ki lô mét trên giờ",
    "gr": "gam",
    "gram": "gam",
    "mb": "mi li ba",
    "mbar": "mi li ba",
    "mcg": "mic rô gam",
    "um": "mic rô mét",
    "ug": "mic rô gam",
    "us": "mic rô giây",
    "CFM": "xê ép em",
    "BTU": "bê tê u",
    "Btu": "bê tê u",
    "HP": "mã lực",
    "hp": "mã lực",
    "IU": "đơn vị quốc tế",
    "UI": "đơn vị quốc tế",
    "px": "pích xeo",
    "ohm": "ôm",
    "MiB": "mê bi bai",
    "GiB": "gi bi bai",
    "KiB": "ki bi bai",
    "TiB": "tê bi bai",
    "gal": "ga lông",
    "TOPS": "tê ra phép tính trên giây",
    "kn": "hải lý trên giờ",
    "L/100km": "lít trên một trăm ki lô mét",
    "l/100km": "lít trên một trăm ki lô mét",
    "mΩ": "mi li ôm",
}
_DENOMINATORS = {
    "h": "giờ",
    "s": "giây",
    "min": "phút",
    "ph": "phút",
    "p": "phút",
    "d": "ngày",
    "giờ": "giờ",
    "người": "người",
}
_POWERS = {"2": "vuông", "²": "vuông", "3": "khối", "³": "khối"}


def _named() -> dict[str, str]:
    names = dict(_OTHER)
    for base, (word, prefixes) in _PREFIXED.items():
        if base in _BARE:
            names[base] = word
        for prefix in prefixes.split():
            names[prefix + base] = f"{_PREFIXES[prefix]} {word}"
    return names


UNITS = _named()
"""Words of a unit that follows a number."""
_NAMES_OF_DIVIDED = {**UNITS, "m": "mét", "B": "bai", "b": "bít", "A": "am pe"}
_NAMES_OF_DIVISORS = {**UNITS, **_DENOMINATORS}
_ONE_LETTER = frozenset("gLNVWlsABbp")
_LIKE_WORDS = frozenset(("in", "mi", "kn", "us", "p", "bar", "cal", "ha", "gal"))
"""Units that are words too: behind a number they need no space before them, or are no units."""
_LENGTH = r"(?:km|hm|dm|cm|mm|µm|m)"
_DIVIDED, _DIVISOR = one_of(_NAMES_OF_DIVIDED), one_of(_NAMES_OF_DIVISORS)
_UNIT = (
    rf"(?P<unit>{_LENGTH}(?=[23²³])|{_DIVIDED})(?P<power>(?<=m)[23²³])?"
    rf"(?:\s?/\s?(?P<per>{_LENGTH}(?=[23²³])|{_DIVISOR})(?P<per_power>(?<=[msh])[23²³])?(?![\w]))?"
)
"""A unit, or one divided by another."""
_END = r"(?![\w²³°])"
# Alone, only what is nothing else.
_ALONE = (
    r"(?:k[Ww]h|MWh|GWh|Wh|kW|MW|MHz|GHz|kHz|Hz|µg|mcg|mg|kg|Mbps|Gbps|Kbps|kbps|dBm?|°[CF]"
    r"|mAh?|kVA|hPa|kPa|ppm|ppb|lux|mmHg|k?m/h|m/s|MB/s|GB/s|Mb/s|MB|GB|k?m[²³]|kcal|rpm|fps"
    r"|cm|mm|ml)"
)
_COUNT_WORDS = (
    r"một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười|chục|trăm|nghìn|ngàn|triệu|tỷ|vài|mấy|mỗi|nửa|từng"
    r"|rưỡi|mốt|lăm|mươi"
)
_LITERALLY_DECIMAL = re.compile(r"\d{1,3}\.\d{3}")
_DECIMAL_UNITS = ("°C", "°F", "V", "A", "%")
"""Units of quantities that rarely reach thousands: 23.456 °C is no temperature of 23 456."""


def unit_words(unit: str, power: str | None, per: str | None, per_power: str | None) -> str:
    """Return a unit in words; a divided one with "trên"."""
    said = _with_power(_NAMES_OF_DIVIDED[unit], power)
    if per is None:
        return said
    divisor = _NAMES_OF_DIVISORS[per]
    if per_power and per in ("s", "h"):
        return f"{said} trên {divisor} {'bình phương' if per_power in '2²' else 'lập phương'}"
    return f"{said} trên {_with_power(divisor, per_power)}"


def _with_power(words: str, power: str | None) -> str:
    return f"{words} {_POWERS[power]}" if power else words


def _matched_unit(match: re.Match[str]) -> str:
    return unit_words(match["unit"], match["power"], match["per"], match["per_power"])


def _measured(match: re.Match[str]) -> str:
    unit = match["unit"]
    return f"{_amount(match[1], unit)} {_matched_unit(match)} "


def _amount(number: str, unit: str) -> str:
    if unit in _DECIMAL_UNITS and _LITERALLY_DECIMAL.fullmatch(number):
        whole, _, part = number.partition(".")
        return f"{said_number(whole)} chấm {digit_by_digit(part)}"
    return said_number(number)


def _bare(match: re.Match[str]) -> str:
    return f" {_matched_unit(match)} "


def _after_word(match: re.Match[str]) -> str:
    lone = match["per"] is None and match["power"] is None
    if lone and (match["unit"] in _ONE_LETTER or match["unit"] in _LIKE_WORDS):
        return match[0]
    return f"{match[1]} {_matched_unit(match)}"


def _is_no_unit(match: re.Match[str]) -> bool:
    """Return whether a letter or a word behind a number is no unit: "5 in", "3 mi", "2 A"."""
    attached = match[0][len(match[1])] != " "
    lone = match["per"] is None and match["power"] is None
    if match["unit"] in ("A", "B", "b"):
        return lone
    return lone and not attached and match["unit"] in _LIKE_WORDS - {"ha", "bar", "cal", "gal"}


UNIT_RULES: tuple[Rewrite, ...] = (
    rewrite(
        rf"(?<![\w.,])({NUMBER})\s?{_UNIT}{_END}",
        lambda m: m[0] if _is_no_unit(m) else _measured(m),
    ),
    # an ampere after a decimal, or beside volts
    rewrite(r"(?<![\w.,])(\d{1,4}[.,]\d{1,3})\s?A(?!\w)", lambda m: f"{said_number(m[1])} am pe "),
    # vài kg, mỗi km, nửa m²
    rewrite(rf"(?<!\w)((?i:{_COUNT_WORDS})) {_UNIT}{_END}", _after_word),
    # đồng/kWh, viên/kg
    rewrite(
        rf"(?<=[^\W\d_])\s?/\s?(?P<unit>{_LENGTH}(?=[23²³])|(?:kWh|kg|km|m|ha|ml|l|lít|cm|mm|mg"
        rf"|GB|MB))"
        rf"(?P<power>[23²³])?(?P<per>(?!))?(?P<per_power>(?!))?{_END}",
        lambda m: f" trên {_with_power({**UNITS, 'lít': 'lít'}[m['unit']], m['power'])}",
    ),
    rewrite(rf"(?<![\w/&-])(?={_ALONE}){_UNIT}{_END}(?!&)", _bare),
)
