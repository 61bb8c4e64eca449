"""Rooms, wards, districts and roads: "P.Khách" is a room, "P. Bến Nghé" a ward.

In a home, P. is a room (phòng) before the name of a room, before a number of three digits and
beside a device; it is a deputy (phó) before a title, and a ward (phường) before other names.
"""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import cardinal, digit_by_digit
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_ROOMS = (
    r"khách|ngủ|tắm|bếp|ăn|làm việc|họp|thờ|giặt|kho|đọc|đọc sách|học|chơi|trẻ em|trẻ|con|con trai"
    r"|con gái|em bé|bé|bố mẹ|ba mẹ|cha mẹ|ông bà|master|gym|tập|tập gym|thay đồ|vệ sinh|wc|vs"
    r"|kỹ thuật|công nghệ|marketing|tổ chức|pháp chế|truyền thông|thiết kế|sản xuất|kinh tế|tài"
    r" chính|kế hoạch|văn thư|tiếp tân|it|kĩ thuật|kế toán|nhân sự|hành chính|đào tạo|kinh doanh"
    r"|giám đốc điều hành|máy chủ"
    r"|server|máy|điện|giải trí|chiếu phim|phim|nhạc|karaoke|xông hơi|sinh hoạt chung|sinh hoạt"
    r"|sinh hoạt|khám|mổ|bệnh|cấp cứu|chờ|trực|bảo vệ|lễ tân|studio|thu âm|đa năng|khách sạn"
    r"|áp mái|giúp việc|ngủ chính|ngủ phụ|để xe|xe|lạnh|trà|giáo vụ|y tế|thí nghiệm|thực hành|hội"
    r" trường"
    r"|dịch vụ|tổng hợp|vip|dự án|vật tư"
    r"|game|games|sách|bà|ông|bà nội|ông nội|bà ngoại|ông ngoại|xem phim|cháu|vẽ|đàn|piano|yoga"
    r"|thiền|spa|cafe|cà phê|quần áo|tranh|tân hôn|osin|lớn|nhỏ|giữa|office|dancing|bi-?a|chính|phụ"
    r"|live|living|bed|tiếp khách|tiếp dân|thi|công chứng|giao dịch|số|trống|đôi|đơn|riêng|gia đình"
)
_TITLES = (
    r"giám đốc|tổng giám đốc|chủ tịch|chủ nhiệm|trưởng phòng|trưởng ban|hiệu trưởng|bí thư"
    r"|thủ tướng|viện trưởng|cục trưởng|vụ trưởng|tổng biên tập|tư lệnh|chánh án|chánh văn phòng"
    r"|chánh thanh tra|ht"
    r"|trưởng khoa|trưởng đoàn|trưởng thôn|tổng thư ký|đội trưởng|quản đốc|gđ|tgđ|ct|hiệu|trưởng"
    r"|tổng thống|đại sứ|giáo sư|thống đốc|tổng thanh tra|chủ tọa|văn phòng"
)
_SHORT_TITLES = {"gđ": "giám đốc", "tgđ": "tổng giám đốc", "ct": "chủ tịch", "ht": "hiệu trưởng"}
_DEVICES = (
    r"đèn|quạt|điều hòa|điều hoà|máy lạnh|cửa|cửa sổ|rèm|camera|nhiệt độ|độ ẩm|loa|tivi|ti vi|TV"
    r"|cảm biến|công tắc|ổ cắm|khách|trong|ở|tại|vào|bật|tắt"
)
_IN_A_HOME = (
    r"đèn|quạt|điều hòa|điều hoà|máy lạnh|cửa sổ|rèm|camera|nhiệt độ|độ ẩm|loa|tivi|ti vi|cảm biến"
    r"|công tắc|ổ cắm|bật|tắt"
)
_READING = r"(?:[^\W\d]+ ){0,2}[^\W\d]+:? \d{1,3}(?:[.,]\d{1,2})?\s?(?:độ|°|%)"
_DEPARTMENTS = (
    r"kinh doanh|kế toán|nhân sự|hành chính|kỹ thuật|marketing|tổ chức|kế hoạch|đào tạo"
    r"|dự án|vật tư"
)
_INITIALS = {"PK": "phòng khách", "PN": "phòng ngủ"}
_CAPITAL = r"[A-ZĐÀ-ỸĂÂÊÔƠƯ]"
_NAME = rf"(?={_CAPITAL}[^\WA-ZĐ])"


def _deputy(match: re.Match[str]) -> str:
    return f"phó {_SHORT_TITLES.get(match[1].lower(), match[1])}"


def _room_number(match: re.Match[str]) -> str:
    return f"{match[1]} {room_digits(match[2])}"


def room_digits(digits: str) -> str:
    """Return the number of a room: 301 is a number, of 1503 and 0305 the digits are read."""
    if len(digits) > 3 or digits.startswith("0"):  # noqa: PLR2004 - floor and room, two digits each
        return digit_by_digit(digits)
    return cardinal(int(digits))


PLACES: tuple[Rewrite, ...] = (
    rewrite(rf"(?<!\w)P(?:\.\s?|\s)((?i:{_TITLES}))(?!\w)", _deputy),
    # căn hộ 2PN 2WC
    rewrite(r"(?<![\w.,])(\d{1,2})\s?(?:PN|pn)(?=\d|\W|$)", r"\1 phòng ngủ "),
    rewrite(r"(?:(?<![\w.,])|(?<=ngủ ))(\d{1,2})\s?(?:WC|wc)(?!\w)", r"\1 vê xê"),
    rewrite(r"(?<!\w)([xX]e )(\d{1,2})c(?!\w)", r"\1\2 chỗ"),
    rewrite(r"(?<!\w)P\.\s?(?i:wc)(?!\w)", "phòng vê xê"),
    rewrite(r"(?<!\w)P\.\s?(?i:vs)(?!\w)", "phòng vệ sinh"),
    rewrite(r"(?<=[^\W\d])/(?=P\.)", ", "),
    rewrite(rf"(?<!\w)((?i:phòng)) P\.\s?(?=(?i:{_ROOMS})(?![^\W\d]))", r"\1 "),
    # departments: P.TCHC, and TP. Kế toán, who leads it
    rewrite(r"(?<!\w)P\.\s?(?=[A-ZĐ]{3,6}(?!\w))", "phòng "),
    rewrite(rf"(?<!\w)TP\.?\s?(?=(?i:{_DEPARTMENTS})(?!\w))", "trưởng phòng "),
    rewrite(r"(?<!\w)P\.\s?(?=0\d(?!\w))", "phòng "),
    rewrite(rf"(?<!\w)[Pp]\.\s?(?=(?i:{_ROOMS})(?![^\W\d]))", "phòng "),
    rewrite(r"(?<!\w)(PK|PN)(?=\s?\d{1,2}(?!\w))", lambda m: f"{_INITIALS[m[1]]} "),
    rewrite(rf"(?<!\w)P (?=(?i:{_ROOMS})(?!\w))", "phòng "),
    rewrite(rf"(?<!\w)((?i:{_DEVICES})) P\.?\s?(?=\d{{1,4}}(?!\w))", r"\1 phòng "),
    rewrite(r"(?<![\w&])((?i:phòng )?)P\.?\s?(?=\d{3,4}(?![\w.]))", lambda m: m[1] or "phòng "),
    rewrite(r"(?<!\w)((?i:phòng|căn hộ|căn) [A-Z])\.(?=\d)", r"\1"),
    rewrite(
        r"(?<!\w)((?i:phòng|căn hộ|căn|apartment|room))(?: số)? (\d{4}|0\d{2})(?!\w|[.,/:-]\d)",
        _room_number,
    ),
    # behind a device, and before a measured value: no ward
    rewrite(rf"(?<!\w)((?i:{_IN_A_HOME})) P\.\s?(?=[^\W\d])", r"\1 phòng "),
    rewrite(rf"(?<!\w)P\.\s?(?={_READING})", "phòng "),
    # A lower-case word is no ward.
    rewrite(r"(?<!\w)P\.\s?(?=[a-zà-ỹđ])", "phòng "),
    rewrite(r"(?<!\w)T\.\s?(?=\d{1,2}(?!\w))", "tầng "),
    rewrite(r"(?<!\w)(?:L|Lầu)\.\s?(?=\d{1,2}(?!\w))", "lầu "),
    rewrite(r"(?<!\w)KP\.?\s?(?=\d)", "khu phố "),
    rewrite(rf"(?<!\w)T\.\s?{_NAME}(?=[^\W\d]+ [A-ZĐÀ-Ỹ])", "tỉnh "),
    rewrite(r"(?<!\w)(?:TP|Tp|tp|T\.P)\.?\s?(?:HCM|Hcm|hcm)(?!\w)", "thành phố Hồ Chí Minh"),
    rewrite(r"(?<!\w)(?:TP|Tp|tp|T\.P)\.?\s?HN(?!\w)", "thành phố Hà Nội"),
    rewrite(rf"(?<!\w)(?:TP|Tp|tp|T\.P)(?:\.\s?|\s){_NAME}", "thành phố "),
    rewrite(rf"(?<!\w)đ\.\s?{_NAME}", "đường "),
    # a quarter behind a word of business
    rewrite(
        r"(?<!\w)((?i:kpi|doanh thu|báo cáo|kết quả|lợi nhuận|kinh doanh|gdp|hết|cuối|đầu|mục tiêu"
        r"|kế hoạch|trong)) Q([1-4])(?![\w/.-])",
        r"\1 quý \2",
    ),
    rewrite(r"(?<!\w)Q(?=\d{1,2}(?![\w/.]))", "quận "),
    rewrite(r"(?<!\w)P(?=\d{1,2}(?:, ?| )(?:Q\.?\s?\d|Q\.|quận))", "phường "),
    rewrite(r"(?<!\w)QL\s?\.?(?=\d)", "quốc lộ "),
    rewrite(r"(?<!\w)(?:TL|ĐT)\.?\s?(?=\d{3}(?!\d))|(?<!\w)TL\.\s?(?=\d)", "tỉnh lộ "),
)
