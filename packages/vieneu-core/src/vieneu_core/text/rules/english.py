"""English text for English voices: symbols, units and currencies as words."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from vieneu_core.text.rules.characters import readable
from vieneu_core.text.rules.numerals import NUMBER
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

_CURRENCIES = {
    "$": ("dollar", "dollars"),
    "US$": ("US dollar", "US dollars"),
    "€": ("euro", "euros"),
    "£": ("pound", "pounds"),
    "¥": ("yen", "yen"),
    "₩": ("won", "won"),
    "₹": ("rupee", "rupees"),
    "¢": ("cent", "cents"),
    "฿": ("baht", "baht"),
    "₫": ("dong", "dong"),
    "៛": ("riel", "riel"),
    "₡": ("colon", "colones"),
    "₣": ("franc", "francs"),
    "₤": ("lira", "lira"),
    "₦": ("naira", "naira"),
    "₨": ("rupee", "rupees"),
    "₪": ("shekel", "shekels"),
    "₭": ("kip", "kip"),
    "₮": ("tugrik", "tugrik"),
    "₱": ("peso", "pesos"),
    "₲": ("guarani", "guarani"),
    "₴": ("hryvnia", "hryvnia"),
    "₵": ("cedi", "cedi"),
    "₸": ("tenge", "tenge"),
    "₺": ("lira", "lira"),
    "₼": ("manat", "manat"),
    "₽": ("ruble", "rubles"),
    "₾": ("lari", "lari"),
    "֏": ("dram", "dram"),
    "৳": ("taka", "taka"),
    "৲": ("rupee", "rupees"),
    "૱": ("rupee", "rupees"),
    "௹": ("rupee", "rupees"),
    "৻": ("ganda", "ganda"),
    "₿": ("bitcoin", "bitcoin"),
}
"""One of a currency, and more of it."""
_UNITS = {
    "°C": "degrees Celsius",
    "°F": "degrees Fahrenheit",
    "km/h": "kilometers per hour",
    "m/s": "meters per second",
    "µg/m³": "micrograms per cubic meter",
    "µg/m3": "micrograms per cubic meter",
    "kWh": "kilowatt hours",
    "Wh": "watt hours",
    "kW": "kilowatts",
    "W": "watts",
    "V": "volts",
    "mA": "milliamps",
    "mAh": "milliamp hours",
    "A": "amps",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "hPa": "hectopascals",
    "kPa": "kilopascals",
    "mbar": "millibars",
    "ppm": "parts per million",
    "ppb": "parts per billion",
    "lx": "lux",
    "lm": "lumens",
    "dB": "decibels",
    "dBm": "decibel milliwatts",
    "MB": "megabytes",
    "GB": "gigabytes",
    "TB": "terabytes",
    "kB": "kilobytes",
    "Mbps": "megabits per second",
    "Mbit/s": "megabits per second",
    "MB/s": "megabytes per second",
    "Gbps": "gigabits per second",
    "km": "kilometers",
    "m": "meters",
    "cm": "centimeters",
    "mm": "millimeters",
    "m²": "square meters",
    "m³": "cubic meters",
    "kg": "kilograms",
    "g": "grams",
    "mg": "milligrams",
    "l": "liters",
    "L": "liters",
    "ml": "milliliters",
    "mL": "milliliters",
    "rpm": "revolutions per minute",
    "mph": "miles per hour",
}
_SIGNS = {
    "%": "percent",
    "‰": "per mille",
    "‱": "per ten thousand",
    "°": "degrees",
    "&": "and",
    "@": "at",
    "+": "plus",
    "=": "equals",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "≤": "less than or equal to",
    "≥": "greater than or equal to",
    "<": "less than",
    ">": "greater than",
    "≠": "not equal to",
    "≈": "approximately",
    "∞": "infinity",
    "√": "square root of",
    "→": "to",
    "№": "number",
    "§": "section",
    "²": "squared",
    "³": "cubed",
    "π": "pi",
    "µ": "micro",
    "~": "about",
    "^": "to the power of",
    "#": "number",
    "Ω": "ohms",
    "©": "copyright",
}
_SIGN = one_of(_CURRENCIES)
_SCALE = r"(?: (?:thousand|million|billion|trillion))?"
_LARGEST_DENOMINATOR = 1_000
_FRACTIONS = {
    2: ("half", "halves"),
    3: ("third", "thirds"),
    4: ("quarter", "quarters"),
    5: ("fifth", "fifths"),
    6: ("sixth", "sixths"),
    8: ("eighth", "eighths"),
    7: ("seventh", "sevenths"),
    9: ("ninth", "ninths"),
    10: ("tenth", "tenths"),
}


def _money(amount: str, sign: str) -> str:
    one, more = _CURRENCIES[sign]
    return f" {amount} {one if amount == '1' else more} "


def _measured(match: re.Match[str]) -> str:
    words = _UNITS[match[2]]
    single = match[1] == "1"
    return f"{match[1]} {_one_of_many(words) if single else words} "


def _one_of_many(words: str) -> str:
    """Return the singular: degree Celsius, kilometer per hour, watt hour."""
    if words.startswith("degrees"):
        return words.replace("degrees", "degree")
    head, per, tail = words.partition(" per ")
    return head.removesuffix("s").replace("lux", "lux") + per + tail if head != "lux" else words


def _fraction(match: re.Match[str]) -> str:
    value = Fraction(unicodedata.numeric(match[0])).limit_denominator(_LARGEST_DENOMINATOR)
    one, more = _FRACTIONS[value.denominator]
    name = one if value.numerator == 1 else more
    before = match.string[: match.start()].rstrip()
    joined = " and " if before[-1:].isdecimal() else " "
    return f"{joined}{'a' if value.numerator == 1 else value.numerator} {name} "


_RULES: tuple[Rewrite, ...] = (
    rewrite(rf"(?<!\w)({_SIGN})\s?({NUMBER}{_SCALE})", lambda m: _money(m[2], m[1])),
    rewrite(rf"({NUMBER}{_SCALE})\s?({_SIGN})(?!\w)", lambda m: _money(m[1], m[2])),
    rewrite(_SIGN, lambda m: f" {_CURRENCIES[m[0]][1]} "),
    rewrite(r"[\u00bc-\u00be\u2150-\u215e]", _fraction),
    rewrite(rf"(?<![\w.,])({NUMBER})\s?({one_of(_UNITS)})(?![\w²³/])", _measured),
    rewrite(r"(?<=\d)\s?[x*]\s?(?=\d)", " times "),
    rewrite(r"(?:(?<=^)|(?<=[\s(:=]))-(?=\d)", "minus "),
    rewrite(r"(?<=\d)\s?-\s?(?=\d+(?:[.,]\d+)? )", " to "),
    rewrite("[" + re.escape("".join(_SIGNS)) + "]", lambda m: f" {_SIGNS[m[0]]} "),
)
_KEPT = ".,!?'-:/"


def english_words(sentence: str) -> str:
    """Return an English sentence with its symbols as words; it may be empty."""
    text = readable(sentence, language="en")
    for rule in _RULES:
        text = rule(text)
    kept = "".join(c if c.isalnum() or c in _KEPT else " " for c in re.sub(r'[;()"]', ", ", text))
    kept = re.sub(r"\s+(?=[.,!?:])", "", " ".join(kept.split()))
    return re.sub(r",(?=[.,!?])|(?<=[.!?]),", "", kept).strip(" ,")
