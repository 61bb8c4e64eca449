"""Abbreviations that occur with a name or a number: titles, places, particles."""

from __future__ import annotations

from vieneu_core.text.rules.numerals import cardinal
from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

_TITLES = {
    "ThS": "thạc sĩ",
    "Ths": "thạc sĩ",
    "Th.S": "thạc sĩ",
    "TS": "tiến sĩ",
    "Ts": "tiến sĩ",
    "TSKH": "tiến sĩ khoa học",
    "GS": "giáo sư",
    "Gs": "giáo sư",
    "PGS": "phó giáo sư",
    "BS": "bác sĩ",
    "Bs": "bác sĩ",
    "BSCKI": "bác sĩ chuyên khoa một",
    "BSCKII": "bác sĩ chuyên khoa hai",
    "KS": "kỹ sư",
    "LS": "luật sư",
    "DS": "dược sĩ",
    "ĐD": "điều dưỡng",
    "NSND": "nghệ sĩ nhân dân",
    "NSƯT": "nghệ sĩ ưu tú",
    "BV": "bệnh viện",
    "GĐ": "giám đốc",
}
"""Expanded before a name, with or without a full stop."""
WITH_STOP = {
    **_TITLES,
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
    "Cty": "công ty",
    "cty": "công ty",
}
"""Expanded before a full stop."""
_WITH_SLASH = {"v/v": "về việc", "k/g": "kính gửi", "a/c": "anh chị", "đ/c": "đồng chí"}
_BEFORE_A_NAME = {"ĐL": "đại lộ", "BX": "bến xe", "HV": "học viện", "NH": "ngân hàng"}
_BEFORE_A_COLON = {
    "TK": "tài khoản",
    "SL": "số lượng",
    "SD": "số dư",
    "GD": "giao dịch",
    "VD": "ví dụ",
    "Vd": "ví dụ",
    "SP": "sản phẩm",
    "HD": "hướng dẫn",
    "NV": "nhân viên",
    "KH": "khách hàng",
    "ND": "nội dung",
    "DT": "diện tích",
    "KT": "kích thước",
    "MK": "mật khẩu",
    "mk": "mật khẩu",
    "hsd": "hạn sử dụng",
    "nsx": "ngày sản xuất",
}
_CONTACTED = r"em|anh|chị|cô|chú|ngay|ad|admin|shop|zalo|Zalo|sđt|SĐT|hotline|Hotline|số|để"
_REPUBLICS = (
    r"Mỹ|Nga|Pháp|Hàn Quốc|Ukraine|Ukraina|Indonesia|Philippines|Trump|Putin|Biden|Zelensky|Macron"
    r"|Thổ Nhĩ Kỳ|Iran|Brazil"
)
_DIRECTIONS = {"Đ": "đông", "T": "tây", "N": "nam", "B": "bắc"}
_TITLED = one_of(_TITLES)
_STOPPED = one_of(WITH_STOP)
_NAME = r"(?=[A-ZĐÀ-ỸĂÂÊÔƠƯ][^\WA-ZĐ])"
_VOCATIVES = r"gửi|chào|mời|thưa|quý|cảm ơn|kính|nhờ|cùng|các"

ABBREVIATIONS: tuple[Rewrite, ...] = (
    # An air conditioner in a home; "anh chị" in lower case or behind an address.
    rewrite(rf"(?<!\w)((?i:{_VOCATIVES})) A/C(?!\w)", r"\1 anh chị"),
    rewrite(r"(?<!\w)A/C(?!\w)", "a xê"),
    rewrite(
        r"(?i:(?<=gió )|(?<=hướng )|(?<=phía ))(Đ|T|N|B|ĐB|ĐN|TB|TN)(?!\w)",
        lambda m: " ".join(_DIRECTIONS[char] for char in m[0]),
    ),
    rewrite(r"(?<!\w)P\.\s?S(?:\.(?!\w)|(?=:))", "pê ét,"),
    rewrite(r"(?<!\w)e\.g\.(?!\w)", "ví dụ"),
    rewrite(r"(?<!\w)i\.e\.(?!\w)", "tức là"),
    rewrite(r"(?<!\w)etc\.", "vân vân."),
    rewrite(r"(?<!\w)PM\s?(\d{1,2})[.,](\d)(?!\d)", r"pi em \1 chấm \2"),
    rewrite(r"(?<!\w)PM\s?(10|1)(?![\d.,:]\d|\w)", lambda m: f"pi em {cardinal(int(m[1]))}"),
    rewrite(r"(?<!\w)(?i:wi-?fi)(?!\w)", "wi fi"),
    rewrite(
        r"(?<!\w)(?i:(v/v|k/g|a/c|đ/c))(?= ?[\w:]|[.,!?]|$)",
        lambda m: _WITH_SLASH[m[1].lower()] if m.string[m.end() :][:1] != ":" else "địa chỉ",
    ),
    rewrite(r"(?<!\w)(Mr|Mrs|Ms|Dr|Prof|St)\.\s?(?=[A-Z])", r"\1 "),
    # PGS.TS.BS. Lan, BS CKII Hùng, TS Lan; and "GS.TS" at an end
    rewrite(r"(?<!\w)B[Ss]\.?\s?CK(I{1,2})(?!\w)", r"BSCK\1"),
    rewrite(rf"(?<!\w)({_STOPPED})\.\s?(?=[\wĐ])", lambda m: f"{WITH_STOP[m[1]]} "),
    rewrite(
        rf"(?<!\w)({_TITLED})(?=\s(?:{_TITLED})?\.?\s?{_NAME})|(?<=giáo sư )(TS|TSKH)(?!\w)",
        lambda m: _TITLES[m[0]],
    ),
    rewrite(rf"(?<!\w)({_TITLED})(?=\s{_NAME})", lambda m: _TITLES[m[0]]),
    rewrite(r"(?<!\w)(BSCKI{1,2})(?!\w)", lambda m: _TITLES[m[0]]),
    rewrite(rf"(?<!\w)({one_of(_BEFORE_A_NAME)})(?=\s{_NAME})", lambda m: _BEFORE_A_NAME[m[1]]),
    rewrite(rf"(?<!\w)TT(?= (?:{_REPUBLICS})(?!\w))", "tổng thống"),
    rewrite(r"(?<!\w)BT(?= Bộ )", "bộ trưởng"),
    rewrite(r"(?<!\w)BTV(?= (?:Tỉnh|Thành|Huyện|Quận|Đảng) ủy)", "ban thường vụ"),
    rewrite(r"(?<!\w)CA(?= (?:quận|huyện|tỉnh|thành phố|phường|xã|TP|Hà Nội)(?!\w))", "công an"),
    rewrite(rf"(?<!\w)CAP(?= {_NAME})", "công an phường"),
    rewrite(r"(?<!\w)CS(?= PCCC)", "cảnh sát"),
    rewrite(r"(?<!\w)QH(?= (?:1|một)(?:/| trên | phần ))", "quy hoạch"),
    rewrite(r"(?<!\w)NH(?= 20\d\d(?:-| đến ))", "năm học"),
    rewrite(r"(?<!\w)CT(?= (?:TNHH|CP|cổ phần)(?!\w))", "công ty"),
    rewrite(r"(?<!\w)GS(?=, (?:PGS|TS|tiến|phó giáo)|/)", "giáo sư"),
    rewrite(r"(?<=giáo sư, )TS(?!\w)", "tiến sĩ"),
    rewrite(r"(?<!\w)BH(?= \d)", "bảo hành"),
    rewrite(rf"(?<!\w)LH(?=\s?:|,? (?:\w{{1,4}} )?(?:{_CONTACTED}|\d|{_NAME}))", "liên hệ"),
    rewrite(r"(?<=\d )KH(?!\w)", "khách hàng"),
    # gặp A.Tuấn
    rewrite(
        rf"(?<!\w)((?i:gặp|gọi|cho|của|với|nhờ|lh|liên hệ|hỏi|chào)) ([AC])\.{_NAME}",
        lambda m: f"{m[1]} {'anh' if m[2] == 'A' else 'chị'} ",
    ),
    rewrite(r"(?<![\w-])TP(?![\w-]|\.\w)", "thành phố"),
    rewrite(
        rf"(?<!\w)({one_of(_BEFORE_A_COLON)})(?=\s?:)|(?<=[mM]ã )SP(?!\w)",
        lambda m: _BEFORE_A_COLON[m[0]],
    ),
    rewrite(r"(?<!\w)BN(?=\s?\d)", "bệnh nhân"),
    rewrite(r"(?<!\w)((?i:chụp|máy|phim)) CT(?!\w)", r"\1 xi ti"),
    rewrite(r"(?<!\w)(ĐC|ĐT|SĐT|Tel)\s?(?=:)", lambda m: WITH_STOP[m[1]]),
    rewrite(r"(?<!\w)(?:Cty|cty|[cC]ông ty) CP(?!\w)", "công ty cổ phần"),
    rewrite(r"(?<!\w)cty(?=\s[A-ZĐ])", "công ty"),
    rewrite(r"(?<!\w)T\.(?:Ư|W)(?!\w)", "trung ương"),
    rewrite(
        r"(?<=BCH |Ban )TƯ(?!\w)|(?<=nghị )TƯ(?!\w)|(?<!\w)TƯ(?= (?:Đảng|Đoàn|Hội|\d))",
        "trung ương",
    ),
)
