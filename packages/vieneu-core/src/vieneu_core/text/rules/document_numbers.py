"""Numbers that are no quantities: plates, flights, passwords, documents, rooms."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import cardinal, digit_by_digit, said_number, spelled
from vieneu_core.text.rules.rewrite import Rewrite, rewrite
from vieneu_core.text.rules.software import characters

_SPELT_OUT = (
    r"(?:OTP|PIN|ID|STK|MST|CCCD|CMND|CMT|(?i:mật khẩu|password|passcode|pass|mật mã|hộ chiếu"
    r"|số tài khoản|số thẻ|số hiệu|căn cước"
    r"|mã (?:xác nhận|xác thực|bảo mật|số thuế|đơn hàng|đơn|vận đơn|khách hàng|hồ sơ|sinh viên"
    r"|nhân viên|bưu chính|vùng|khóa|khoá|cửa|khóa cửa|khoá cửa|két|két sắt|mở khóa|tra cứu"
    r"|giao dịch|thẻ|OTP|PIN|số)|mã))"
)
_IS = r"(?: (?:của bạn|của quý khách|(?i:wi-?fi)))?(?: là|:| số)?"
_BANKS = (
    r"Vietcombank|Techcombank|VietinBank|Vietinbank|Agribank|Sacombank|VPBank|TPBank|MB|MBBank|VCB"
    r"|TCB|BIDV|ACB|VIB|MSB|SHB|HDBank|OCB|SCB|Eximbank"
)
_DOCUMENT = (
    r"nghị định|thông tư|quyết định|công văn|chỉ thị|nghị quyết|luật|thông báo|kế hoạch|tờ trình"
    r"|công điện|văn bản|pháp lệnh|NĐ|TT|QĐ|CV"
)
_KINDS = {
    "NĐ": "nghị định",
    "TT": "thông tư",
    "TTLT": "thông tư liên tịch",
    "QĐ": "quyết định",
    "CV": "công văn",
    "CT": "chỉ thị",
    "NQ": "nghị quyết",
    "TB": "thông báo",
    "KH": "kế hoạch",
    "TTr": "tờ trình",
    "CĐ": "công điện",
}
_ISSUERS = {
    "CP": "chính phủ",
    "TTg": "thủ tướng",
    "QH": "quốc hội",
    "TW": "trung ương",
    "BYT": "bộ y tế",
    "BTC": "bộ tài chính",
    "BCA": "bộ công an",
    "BGTVT": "bộ giao thông vận tải",
    "BGDĐT": "bộ giáo dục đào tạo",
    "BCT": "bộ công thương",
    "BXD": "bộ xây dựng",
    "BNV": "bộ nội vụ",
    "UBND": "ủy ban nhân dân",
    "HĐND": "hội đồng nhân dân",
    "NHNN": "ngân hàng nhà nước",
}
_KIND, _ISSUER = "|".join(_KINDS), "|".join(_ISSUERS)


def _secret(match: re.Match[str]) -> str:
    groups = [digit_by_digit(group) for group in re.split(r"[ .-]", match[2])]
    return f"{match[1]} {', '.join(groups)}"


def _plate(match: re.Match[str]) -> str:
    groups = ", ".join(map(digit_by_digit, match.groups()[2:]))
    return f"{match[1]} {spelled(match[2])}, {groups}"


def _flight(match: re.Match[str]) -> str:
    return f"{match[1]} {spelled(match[2])} {digit_by_digit(match[3])}"


def _parts(match: re.Match[str]) -> str:
    """Read A12-05 part by part; a part with a leading zero digit by digit."""
    letter = f" {spelled(match[4])}" if match[4] else ""
    return f"{spelled(match[1])} {_number(match[2])}, {_apartment(match[3])}{letter}"


def _letters_and_digits(match: re.Match[str]) -> str:
    return f"{match[1]} {characters(match[2])} "


def _apartment(digits: str) -> str:
    """Read one or two digits as a number, more as digits: B2-1503."""
    return _number(digits) if len(digits) <= 2 else digit_by_digit(digits)  # noqa: PLR2004 - one or two digits


def _number(digits: str) -> str:
    return digit_by_digit(digits) if digits.startswith("0") else cardinal(int(digits))


def _issued(match: re.Match[str]) -> str:
    return f", {_KINDS[match[1]]} {_ISSUERS[match[2]]}"


CODES: tuple[Rewrite, ...] = (
    # messages of banks
    rewrite(rf"(?<!\w)TK(?= (?:\d{{3}}|[xX]{{3}}|(?:{_BANKS})(?!\w)))", "tài khoản"),
    rewrite(r"(?<!\w)GD(?= [+-]\d)", "giao dịch"),
    # TT 02/2023/TT-BCA, CV số 123/CV-STC, NQ 57-NQ/TW
    rewrite(
        r"(?<!\w)(TT|CV|NQ|CT)(?= (?:số )?\d{1,5}[/-])|(?<!\w)(NQ)(?= \d{1,3}(?!\w))",
        lambda m: _KINDS[m[0]],
    ),
    # 4G/5G, 3G và 4G: not grams
    rewrite(r"(?<!\w)([2-6])G(?=\s?/\s?[2-6]G(?!\w))\s?/\s?", r"\1 gờ, "),
    rewrite(r"(?<=gờ, )([2-6])G(?!\w)", r"\1 gờ"),
    # 30A-123.45, 29A-12345, 30A12345, 59X1-234.56, 29-B1 123.45
    rewrite(
        r"(?<![\w.-])(\d{2})-?([A-Z](?:[A-Z]|\d)?)(?:[ -](?=\d{3}\.?\d{2})|(?=\d{5}))"
        r"(\d{3})\.?(\d{2})(?![\w.])",
        _plate,
    ),
    rewrite(
        rf"(?<!\w)({_SPELT_OUT}{_IS}) (\d{{4,16}}|\d{{3,4}}(?:[ .-]\d{{3,4}}){{1,4}})"
        r"(?!\w|[.,/]\d| (?:đồng|mAh))",
        _secret,
    ),
    # Passwords and codes with letters: one character after the other
    rewrite(
        r"(?<!\w)((?i:mật khẩu|password|passcode|pass|mã)(?: [^\W\d][\w-]{0,12}){1,4}(?: là|:)) "
        r"[\"'`“]?(?=[^\s\"'`”]*[\d#@$%^&*!_+=])(?=[^\s\"'`”]*[A-Za-z])([!-~]{4,40}?)[\"'`”]?"
        r"(?=[.,;!?]?(?:\s|$))",
        _letters_and_digits,
    ),
    rewrite(
        r"(?<!\w)((?i:park|tòa|toà|block|căn|căn hộ|tháp|landmark)) (\d{1,2})-(\d{3,4})(?![\w-])",
        lambda m: f"{m[1]} {_number(m[2])}, {_apartment(m[3])}",
    ),
    rewrite(
        rf"(?<!\w)({_SPELT_OUT}{_IS}(?: mới| hiện tại| cũ)?:?) [\"'`“]?"
        rf"(?=[^\s\"'`”]*[\d#@$%^&*!_+=])"
        r"(?=[^\s\"'`”]*[A-Za-z])([!-~]{4,40}?)[\"'`”]?(?=[.,;!?]?(?:\s|$))",
        _letters_and_digits,
    ),
    rewrite(
        r"(?<!\w)((?i:mã|mã giảm giá|hộ chiếu|serial|số serial|số khung|số máy|IMEI|key"
        r"|token|SSID)"
        r"(?: là|:)?) (?=[A-Z0-9-]*\d)([A-Z0-9]{2,20}(?:-[A-Z0-9]{2,20}){0,5})(?![\w-])",
        _letters_and_digits,
    ),
    rewrite(
        r"(?<!\w)((?i:IMEI|số serial|serial|số seri|seri)(?: là|:)?) (\d{4,20})(?!\w)",
        lambda m: f"{m[1]} {digit_by_digit(m[2])}",
    ),
    rewrite(
        r"(?<!\w)((?i:chuyến bay|chuyến))\s([A-Z]{2}|VN[A-Z]?|[A-Z]\d)[ -]?(\d{2,4})(?!\w)", _flight
    ),
    rewrite(rf"(?:/|(?<=\d)-)({_KIND})-({_ISSUER})(?!\w)", _issued),
    rewrite(
        r"(?<=\d)-(NQ|CT|QĐ|TB|KH|CĐ)/(TW|TƯ)(?!\w)",
        lambda m: f", {_KINDS[m[1]]} trung ương",
    ),
    rewrite(
        rf"(?<![\w/-])({_KIND})-({_ISSUER})(?!\w)", lambda m: f"{_KINDS[m[1]]} {_ISSUERS[m[2]]}"
    ),
    rewrite(
        rf"(?<!\w)((?i:{_DOCUMENT})(?: (?i:số))?|(?i:số)) (\d{{1,5}})/((?:19|20)\d\d)(?!\d)",
        lambda m: f"{m[1]} {_number(m[2])} trên {cardinal(int(m[3]))}",
    ),
    rewrite(
        r"(?<![\w-])([A-ZĐ]{1,2})(\d{1,2}\.\d{1,2})-(\d{1,4})(?![\w-]|\.\d)",
        lambda m: f"{spelled(m[1])} {said_number(m[2])}, {_apartment(m[3])}",
    ),
    rewrite(
        r"(?<![\w-])([A-ZĐ]{1,2})(\d{1,3})-(\d{1,4})(?:(?<=\d{3})([A-Z]))?(?![\w-]|\.\d)",
        _parts,
    ),
    rewrite(
        r"(?<!\w)((?i:tòa|toà|block|tháp) [A-ZĐ]{0,2}\d{0,2}) - (\d{3,4})(?!\w|[.,/-]\d)",
        lambda m: f"{m[1]}, {digit_by_digit(m[2])}",
    ),
    rewrite(r"(?<!\w)(CN)(?=-\d)", lambda m: spelled(m[1])),
    # phòng 1203A
    rewrite(
        r"(?<!\w)(P\.|(?i:phòng|căn hộ|căn))\s?(\d{4})([A-Z])(?!\w)",
        lambda m: f"{'phòng' if m[1] == 'P.' else m[1]} {digit_by_digit(m[2])} {spelled(m[3])}",
    ),
    rewrite(r"(?<!\w)CT\.?\s?(\d{2})(?!\w)", lambda m: f"{spelled('CT')} {_number(m[1])}"),
    # flights without a word before them, of the airlines that fly here
    rewrite(
        r"(?<!\w)(VN|VJ|QH|BL|VU|SQ|TG|CX|KE|OZ|EK|QR|AK|FD|JL|NH)[ ]?(\d{3,4})(?!\w|[.,:/-]\d)",
        lambda m: f"{spelled(m[1])} {digit_by_digit(m[2])}",
    ),
    # lớp 12A1
    rewrite(
        r"(?<!\w)((?i:lớp|khối|nhóm|đội|tổ|cụm)) (\d{1,2})([A-Z])(\d{1,2})?(?!\w)",
        lambda m: f"{m[1]} {_number(m[2])} {spelled(m[3])}{' ' + _number(m[4]) if m[4] else ''}",
    ),
    rewrite(r"(?<!\w)(?:Km|KM|km)\s?(\d{1,4})\s?\+\s?(\d{1,3})(?!\w)", r"ki lô mét \1 cộng \2"),
    rewrite(r"(?<![\w/])(?<!\d )[Kk]m(?![23](?!\d))\s?(?=\d)", "ki lô mét "),
)
