"""Amounts of money."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import NUMBER, cardinal
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

CURRENCIES = {
    "$": "đô la",
    "US$": "đô la Mỹ",
    "USD": "đô la Mỹ",
    "€": "ơ rô",
    "EUR": "ơ rô",
    "£": "bảng Anh",
    "GBP": "bảng Anh",
    "¥": "yên",
    "JPY": "yên Nhật",
    "₩": "uôn",
    "KRW": "uôn",
    "CNY": "nhân dân tệ",
    "AUD": "đô la Úc",
    "SGD": "đô la Sing ga po",
    "฿": "bạt",
    "₫": "đồng",
    "¢": "xu",
    "₿": "bít coin",
    "₹": "ru pi",
    "₽": "rúp",
    "₱": "pê sô",
    "₺": "li ra",
    "₤": "li ra",
    "₣": "phrăng",
    "₪": "séc ken",
    "₮": "tu rích",
    "₸": "ten gê",
    "₦": "nai ra",
    "₴": "ríp ni a",
    "₭": "kíp",
    "៛": "riên",
    "₨": "ru pi",
    "₡": "cô lông",
    "₲": "goa ra ni",
    "₵": "xê đi",
    "₼": "ma nát",
    "₾": "la ri",
    "֏": "đờ ram",
    "৳": "ta ka",
    "৲": "ru pi",
    "૱": "ru pi",
    "௹": "ru pi",
    "৻": "gan đa",
    "VNĐ": "đồng",
    "VND": "đồng",
    "vnđ": "đồng",
}
_SIGN = one_of(CURRENCIES)
_CODE = one_of(filter(str.isalpha, CURRENCIES))
_LONE = one_of(sign for sign in CURRENCIES if len(sign) == 1 and sign != "$")
_SCALE = r"(?:\s?(?:nghìn|ngàn|triệu|tỷ|tỉ|tr|k|K|million|billion|mln|bn|[mMB])(?!\w))?"
_SCALES = {
    "million": "triệu",
    "billion": "tỷ",
    "mln": "triệu",
    "bn": "tỷ",
    "m": "triệu",
    "M": "triệu",
    "B": "tỷ",
}
_LIGHT = r"đèn|led|bóng|màu|sáng|trắng|vàng"
_LONG_SCALES = {"tỷ": "tỷ", "tỉ": "tỷ", "ty": "tỷ"}
_MEASURE = re.compile(
    r"kg|g|gam|lít|l|m2|m²|m|km|kWh|số|tháng|năm|ngày|giờ|phút|tuần|người|lần|tấn|tạ|yến|ha|quý"
    r"|ca|buổi"
)
"""What an amount is divided by; of anything else it is the price of one."""
_LONG = 7
"""From this many digits on, the library reads a plain number as a code."""


def _before(match: re.Match[str]) -> str:
    return f" {_sum(match[2])} {CURRENCIES[match[1]]} "


def _after(match: re.Match[str]) -> str:
    return f"{_sum(match[1])} {CURRENCIES[match[2]]} "


def _sum(amount: str) -> str:
    if amount.isdigit() and len(amount) >= _LONG:
        return cardinal(int(amount))
    scale = next((scale for scale in _SCALES if amount.endswith(scale)), None)
    return f"{amount.removesuffix(scale)} {_SCALES[scale]}" if scale else amount


def _thousands(match: re.Match[str]) -> str:
    """Read 50k, and 1.250k as a million and a quarter."""
    amount = match[1]
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+|\d{4,9}", amount):
        return cardinal(int(re.sub("[.,]", "", amount)) * 1000)
    return f"{amount} nghìn"


def _counted(match: re.Match[str]) -> str:
    """Read "đ/cây": one of what is counted, while units keep "trên"."""
    return f" đồng {'trên' if _MEASURE.fullmatch(match[1]) else 'một'} {match[1]}"


def _mixed(match: re.Match[str]) -> str:
    """Read 3 tỷ 2 and 3tỷ2: the rest is in tenths, or whole if it has three digits."""
    return f"{match[1]} {_LONG_SCALES[match[2].lower()]} {match[3]}"


def _rest(match: re.Match[str]) -> str:
    """Read 1tr5 as a million and a half, 2tr350 as two million three hundred and fifty thousand."""
    more = match[2]
    if more == "5":
        return f"{match[1]} triệu rưỡi"
    if len(more) == 3:  # noqa: PLR2004 - thousands are written whole
        return f"{match[1]} triệu {more} nghìn"
    return f"{match[1]} triệu {more}"


MONEY: tuple[Rewrite, ...] = (
    rewrite(r"(?<![\w.,])(\d{1,4})tr(\d{1,3})(?!\w)", _rest),
    rewrite(r"(?<![\w.,])(\d{1,4})tr(\d{3})[kK](?!\w)", _rest),
    rewrite(r"(?:(?<=tr)|(?<=k)|(?<=đ))\s?/\s?th(?!\w)", "/tháng"),
    rewrite(r"(?<=\d)\s?BTC(?!\w)", " bít coin"),
    # 25.000 VNĐ/USD
    rewrite(
        rf"(?<=\d)(\s?{_CODE})\s?/\s?({_CODE})(?!\w)",
        lambda m: f"{m[1]} một {CURRENCIES[m[2]]} ",
    ),
    rewrite(rf"(?<=đồng)\s?/\s?({_CODE})(?!\w)", lambda m: f" một {CURRENCIES[m[1]]} "),
    # English thousands: no sum has three decimals
    rewrite(
        r"(?:(?<=[$€£])|(?<=[$€£] ))\d{1,3}(?:,\d{3}){1,4}(?!\d)"
        rf"|(?<![\w.,])\d{{1,3}}(?:,\d{{3}}){{1,4}}(?=\s?(?:{_SIGN}|đ|đồng)(?!\w))",
        lambda m: m[0].replace(",", ""),
    ),
    rewrite(rf"(?<=\d)(\s?{_CODE})\s?/\s?ounce(?!\w)", r"\1 một ao xơ"),
    rewrite(rf"(?<!\w)({_SIGN})\s?({NUMBER}{_SCALE})(?!\w)", _before),
    rewrite(rf"(?<![\w.,])({NUMBER}{_SCALE})\s?({_SIGN})(?!\w)", _after),
    rewrite(rf"(?<![\w.,])({NUMBER})\s?tr(?!\w)", r"\1 triệu"),
    rewrite(rf"(?<![\w.,])({NUMBER})M(?= (?:view|lượt|like|sub|follow|người|tải))", r"\1 triệu"),
    rewrite(r"(?<=[vV]àng )(\d{1,2})[kK](?!\w)", r"\1 ca"),
    rewrite(
        r"(?<![\w.,])([2-6][05]00|2700)\s?K\s?(?:[-~]|đến)\s?([2-6][05]00|2700)\s?K(?!\w)",
        r"\1 ken vin đến \2 ken vin",
    ),
    # 4K and 8K are resolutions, not prices.
    # colour temperatures: đèn 4000K
    rewrite(
        rf"((?i:{_LIGHT})[^.;!?]{{0,40}} )((?:[1-9]|10)\.?[0-9]00)\s?K(?!\w)",
        lambda m: f"{m[1]}{cardinal(int(m[2].replace('.', '')))} ken vin",
    ),
    rewrite(rf"(?<![\w.,])(?![248]K)({NUMBER})[kK](?!\w)", _thousands),
    rewrite(r"(?<![\w.,])(\d{1,4})\s?(tỷ|tỉ|ty)(\d{1,3})(?!\w)", _mixed),
    rewrite(
        r"(?:(?<=\d)|(?<=nghìn|triệu)|(?<=ngàn)|(?<=tỷ)|(?<=tỉ))\s?(?:đồng|đ|VNĐ|VND|vnđ"
        r"|₫)\s?/\s?([a-zđà-ỹ]{1,8})(?![\w²³/])",
        _counted,
    ),
    rewrite(r"(?<=\d)Đ(?!\w)", " đồng"),
    rewrite(
        r"(?<=triệu) đ(?!\w)|(?<=nghìn) đ(?!\w)|(?<=ngàn) đ(?!\w)|(?<=tỷ) đ(?!\w)|(?<=tỉ) đ(?!\w)",
        " đồng",
    ),
    # a mark of a school: no sum has decimals
    rewrite(r"(?<![\w.,])(\d{1,2}[.,]\d{1,2})\s?đ(?![\w/])", r"\1 điểm"),
    rewrite(rf"({NUMBER})\s?đ(?:ồng)?(?!\w)", lambda m: f"{_sum(m[1])} đồng"),
    # currencies without an amount: the rate of USD/VND
    rewrite(
        rf"(?<!\w)({_CODE})/({_CODE})(?!\w)",
        lambda m: f"{CURRENCIES[m[1]]} trên {CURRENCIES[m[2]]}",
    ),
    rewrite(rf"(?<!\w)({_CODE})(?!\w)", lambda m: CURRENCIES[m[1]]),
    rewrite(_LONE, lambda m: f" {CURRENCIES[m[0]]} "),
)
