"""Short forms of chat messages: "ko đc" is "không được"."""

from __future__ import annotations

from vieneu_core.text.rules.rewrite import Rewrite, one_of, rewrite

# Lower case only: in capitals most of them are abbreviations of other words.
_WORDS = {
    "ko": "không",
    "k": "không",
    "kh": "không",
    "hok": "không",
    "khum": "không",
    "hông": "không",
    "đc": "được",
    "dc": "được",
    "đk": "được",
    "đg": "đang",
    "vs": "với",
    "ntn": "như thế nào",
    "nhg": "nhưng",
    "nhma": "nhưng mà",
    "nma": "nhưng mà",
    "mn": "mọi người",
    "mng": "mọi người",
    "ng": "người",
    "ngta": "người ta",
    "bn": "bao nhiêu",
    "bh": "bây giờ",
    "bgio": "bây giờ",
    "trc": "trước",
    "cx": "cũng",
    "cg": "cũng",
    "mk": "mình",
    "mik": "mình",
    "mjnh": "mình",
    "j": "gì",
    "z": "vậy",
    "r": "rồi",
    "rùi": "rồi",
    "thik": "thích",
    "bik": "biết",
    "nc": "nói chuyện",
    "nt": "nhắn tin",
    "tl": "trả lời",
    "sđt": "số điện thoại",
    "đt": "điện thoại",
    "dt": "điện thoại",
    "sn": "sinh nhật",
    "vk": "vợ",
    "ck": "chồng",
    "ny": "người yêu",
    "ctrai": "con trai",
    "cgái": "con gái",
    "e": "em",
    "a": "anh",
    "ib": "inbox",
    "hnay": "hôm nay",
    "hqua": "hôm qua",
    "tgian": "thời gian",
    "tg": "thời gian",
    "gđ": "gia đình",
    "cty": "công ty",
    "lm": "làm",
    "ns": "nói",
    "lun": "luôn",
    "thui": "thôi",
    "ôk": "ô kê",
    "oke": "ô kê",
    "okie": "ô kê",
    "okê": "ô kê",
    "tks": "cảm ơn",
    "thks": "cảm ơn",
    "pls": "làm ơn",
    "plz": "làm ơn",
    "fb": "facebook",
    "ins": "instagram",
    "yt": "youtube",
    "stt": "số thứ tự",
    "cmt": "bình luận",
    "acc": "tài khoản",
    "vn": "việt nam",
    "hn": "hà nội",
    "sg": "sài gòn",
    "hcm": "hồ chí minh",
    "tphcm": "thành phố hồ chí minh",
    "qtrọng": "quan trọng",
    "qđ": "quyết định",
    "đkien": "điều kiện",
    "vd": "ví dụ",
    "vdụ": "ví dụ",
    "đag": "đang",
    "oki": "ô kê",
    "okla": "ô kê",
    "thx": "cảm ơn",
    "thanks": "cảm ơn",
    "ae": "anh em",
    "ace": "anh chị em",
    "nv": "nhân viên",
    "sp": "sản phẩm",
    "hsd": "hạn sử dụng",
    "nyc": "người yêu cũ",
    "uk": "ừ",
    "uhm": "ừm",
    "bt": "bình thường",
    "hqa": "hôm qua",
    "mún": "muốn",
    "wá": "quá",
    "qá": "quá",
    "ntnao": "như thế nào",
    "nch": "nói chuyện",
    "đthoai": "điện thoại",
    "đthoại": "điện thoại",
}
_ONE_LETTER = {word for word in _WORDS if len(word) == 1}
# One letter is a name of a thing more often than a short form: only beside such words.
_NEAR = (
    r"em|anh|chị|mình|tôi|tao|mày|bạn|con|mẹ|bố|cũng|vẫn|sao|thì|mà|nó|ai|còn|đã|sẽ|có|cô|chú|bác"
    r"|chưa|lúc"
)
_VERBS = (
    r"biết|có|thể|được|đi|về|thấy|ăn|làm|muốn|cần|phải|hiểu|nhớ|sao|ai|còn|đến|nói|cho|thích|mở|tắt"
    r"|bật|nghe|đủ|ngủ|tin|chịu|dám|nên|hợp|ổn|đâu|em|anh|chị|bạn|nhé|ạ|vậy"
)
_ASKED = r"sao|gì|thế|đâu|nào|họp|làm|đi|về|ăn|giờ|ở|học|xong|rồi|chưa"
_SAID_OF_ONE = (
    r"k|ko|không|đang|đã|sẽ|cũng|cx|chưa|thấy|nghĩ|biết|muốn|về|đi|ăn|làm|ở|có|ơi|đc|được|nói|bảo"
    r"|mới|vừa|bận|rảnh|buồn|vui|đói|mệt|nhé|ạ"
)
_FRIENDS = {"t": "tao", "m": "mày"}
_LONG = one_of(set(_WORDS) - _ONE_LETTER)

CHAT: tuple[Rewrite, ...] = (
    rewrite(r"(?<!\w)((?i:mấy|vài|nửa)) h(?!\w)", r"\1 giờ"),
    rewrite(r"(?<!\w)(ko|không|k|có|cũng|chưa|đã|chả|chẳng|ai|sao) bt(?!\w)", r"\1 biết"),
    rewrite(r"(?<!\w)mk(?= (?:wi-?fi|mạng)(?!\w)|\s?:)", "mật khẩu"),
    rewrite(r"(?<!\w)a/e(?!\w)", "anh em"),
    rewrite(r"(?<!\w)sn(?= (?:19|20)\d\d(?!\w))", "sinh năm"),
    rewrite(r"(?<!\w)ck(?= \d)", "chuyển khoản"),
    rewrite(r"(?<!\w)dt(?= \d{1,5}(?:[.,]\d)?\s?(?:m2|m²|ha))", "diện tích"),
    rewrite(rf"(?<![\w.@/])(?<!\d )({_LONG})(?![\w@/]|\.\w)", lambda m: _WORDS[m[1]]),
    rewrite(rf"(?<!\w)(?<!\d )k (?=(?:{_VERBS}|đc|ạ)(?!\w))", "không "),
    rewrite(rf"(?<!\w)((?i:{_NEAR}|được|đc|chưa)) k(?=\s?[?,.!]|$)", r"\1 không"),
    rewrite(r"(?<=[^\W\d] )k(?=\s?\?)", "không"),
    rewrite(r"(?<!\w)(làm|cái|nói|ăn|có|là|chuyện|mua|uống|xem) j(?!\w)", r"\1 gì"),
    rewrite(r"(?<!\w)(sao|gì|j|thế|đâu|nào|thôi) z(?!\w)", r"\1 vậy"),
    rewrite(rf"(?<!\w)({_ASKED}) [vz](?=\s?[?,.!]|$)", r"\1 vậy"),
    rewrite(
        rf"(?<![\w/])(?<!\d )(?<!size )(?<!cỡ )(?<!nhóm )(?<!lớp )([tm])"
        rf"(?= (?:{_SAID_OF_ONE})(?!\w))",
        lambda m: _FRIENDS[m[1]],
    ),
    rewrite(r"(?<![\w/])c(?= (?:ơi|ạ|nhé|nha)(?!\w))", "chị"),
    rewrite(r"(?<!\w)((?i:ok|oke|dạ|vâng)) (e|a)(?!\w)", lambda m: f"{m[1]} {_WORDS[m[2]]}"),
    rewrite(r"(?<=[^\W\d] )r(?= (?:nhé|nha|ạ|đó|mà|hả|à|đấy)(?!\w))", "rồi"),
    rewrite(
        r"(?<!\w)e(?= (?:không|ko|k|đã|đang|sẽ|cũng|cx|vẫn|chưa|thấy|nghĩ|biết|muốn|cần|về|đi|xin"
        r"|có"
        r"|gửi|làm|mới|ở|đến|chào|cảm ơn|hỏi|mua|ăn|được|đc)(?!\w))",
        "em",
    ),
    rewrite(
        r"(?<!\w)(xong|rồi|đến|về|ăn|làm|ngủ|đi|tắt|bật|mở|biết|đủ|hết) r(?=\s?[?,.!]|$| (?:nhé"
        r"|nha|ạ|đó))",
        r"\1 rồi",
    ),
    rewrite(r"(?<!\w)(của|cho|gọi|với|hỏi|nhắn|giúp|hộ|nhờ|thương|nhớ|yêu) e(?!\w)", r"\1 em"),
    rewrite(
        r"(?<!\w)(của|cho|gọi|với|hỏi|nhắn|chào) a(?=\s?[?,.!]|$| (?:nhé|nha|ạ|ơi))", r"\1 anh"
    ),
    rewrite(r"(?<!\w)(e|a)(?= (?:ơi|ạ|nhé|nha)(?!\w))", lambda m: _WORDS[m[1]]),
)
