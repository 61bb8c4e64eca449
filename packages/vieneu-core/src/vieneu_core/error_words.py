"""Errors in Vietnamese: by code, the title and what to do where the error itself does not say."""

from __future__ import annotations

from collections.abc import Mapping

from vieneu_core.errors import error_class

_AGAIN = "Hãy thử lại sau giây lát."
_BY_ITSELF = "Hệ thống sẽ tự thử lại."
_FALLBACK = "Nơi khác sẽ đọc tiếp nếu sẵn sàng."
_CHECK_SERVER = "Kiểm tra máy chủ còn chạy và URL là URL hiện tại."

VIETNAMESE: Mapping[str, tuple[str, str]] = {
    "error": ("VieNeu Relay gặp lỗi", "Xem nhật ký để biết nguyên nhân."),
    "configuration": ("Cấu hình sai", "Sửa cấu hình rồi chạy lại."),
    "settings_file": ("Tệp cấu hình sai", "Sửa tệp; tệp vẫn được giữ nguyên."),
    "missing_extra": ("Thiếu gói tuỳ chọn", ""),
    "player": (
        "Không phát được âm thanh",
        "Kiểm tra âm thanh của máy này, hoặc ghi ra tệp: vieneu say -o TỆP.wav VĂN_BẢN",
    ),
    "request": ("Yêu cầu sai", "Sửa yêu cầu rồi gửi lại."),
    "empty_text": ("Không có gì để đọc", "Hãy đưa văn bản có ít nhất một chữ cái hay chữ số."),
    "text_too_long": ("Văn bản quá dài", "Gửi văn bản ngắn hơn, hoặc chia thành nhiều yêu cầu."),
    "invalid_request": ("Yêu cầu không hợp lệ", "Sửa yêu cầu rồi gửi lại."),
    "body_too_large": (
        "Yêu cầu quá lớn",
        "Gửi ít hơn: âm thanh mẫu dạng FLAC, Opus hoặc ngắn hơn.",
    ),
    "voice_not_found": ("Không có giọng này", "Chọn một trong các giọng được liệt kê."),
    "reference_audio": (
        "Âm thanh mẫu không dùng được",
        "Hãy đưa 3 đến 15 giây tiếng nói rõ, dạng WAV, FLAC, OGG hoặc MP3.",
    ),
    "cloning_unsupported": (
        "Không nhân bản giọng được ở đây",
        "Chọn giọng có sẵn, hoặc bộ máy nhân bản được giọng.",
    ),
    "watermark_unavailable": ("Không đóng dấu âm thanh được", "Bỏ dấu, hoặc chọn bộ máy khác."),
    "request_conflict": ("Mã yêu cầu bị dùng hai lần", "Dùng mã mới cho mỗi yêu cầu."),
    "output": (
        "Không ghi được kết quả",
        "Giải phóng dung lượng đĩa, hoặc chuyển kết quả sang nơi khác.",
    ),
    "announcement": (
        "Từ chối lời báo địa chỉ",
        "Không có gì thay đổi. Hãy tự kết nối: vieneu connect URL",
    ),
    "announcement_forged": (
        "Lời báo địa chỉ không có chữ ký đúng",
        "Nếu máy chủ có mã truy cập mới, hãy tự kết nối: vieneu connect URL",
    ),
    "announcement_stale": (
        "Lời báo địa chỉ không còn mới",
        "Chỉnh lại đồng hồ của máy này, rồi khởi động lại máy chủ.",
    ),
    "unsafe_endpoint": (
        "Địa chỉ được báo không an toàn",
        "Cho máy chủ một địa chỉ https, hoặc tự kết nối: vieneu connect URL",
    ),
    "backend": ("Nơi đọc gặp lỗi", _FALLBACK),
    "unavailable": ("Nơi đọc chưa dùng được", _FALLBACK),
    "not_configured": ("Nơi đọc chưa được thiết lập", "Kết nối: vieneu connect URL"),
    "not_loaded": ("Mô hình chưa được nạp", "Hãy nạp trước."),
    "loading": ("Mô hình đang được nạp", "Chờ đến khi sẵn sàng; không cần làm gì."),
    "busy": ("Nơi đọc đang bận", _AGAIN),
    "rate_limited": ("Quá nhiều yêu cầu", "Chờ một lát, hoặc tăng giới hạn của máy chủ."),
    "draining": ("Máy chủ đang dừng", "Mở phiên mới rồi kết nối lại."),
    "circuit_open": ("Tạm ngưng sau nhiều lỗi", _BY_ITSELF),
    "session_ending": ("Phiên từ xa sắp hết", "Mở phiên Colab mới rồi kết nối lại."),
    "connection": ("Không kết nối được", _CHECK_SERVER),
    "host_not_found": (
        "Không tìm thấy tên máy chủ",
        "Kiểm tra URL; đường hầm mới có thể cần một phút.",
    ),
    "tls": (
        "Chứng chỉ không được chấp nhận",
        "Kiểm tra URL và đồng hồ của máy này; việc xác minh không bao giờ bị tắt.",
    ),
    "timeout": ("Nơi đọc quá chậm", _FALLBACK),
    "connect_timeout": ("Kết nối quá lâu", _CHECK_SERVER),
    "first_byte_timeout": ("Chờ trả lời quá lâu", _CHECK_SERVER),
    "stalled": ("Âm thanh bị khựng", _CHECK_SERVER),
    "too_slow": ("Âm thanh đến quá chậm", _CHECK_SERVER),
    "deadline": ("Quá thời hạn", _CHECK_SERVER),
    "interrupted": ("Âm thanh bị đứt", _CHECK_SERVER),
    "tunnel": ("Đường hầm gặp lỗi", _FALLBACK),
    "tunnel_offline": (
        "Đường hầm đã tắt",
        "Chạy lại ô máy chủ trong sổ tay rồi kết nối tới URL được hiện.",
    ),
    "tunnel_upstream": (
        "Máy chủ sau đường hầm không trả lời",
        "Xem sổ tay: máy chủ đang khởi động hoặc đã dừng.",
    ),
    "tunnel_limit": ("Đường hầm chạm giới hạn", "Sẽ tự hết trong vòng một phút."),
    "tunnel_quota": (
        "Đường hầm hết hạn mức",
        "Dùng nhà cung cấp khác, hoặc chờ sang tháng mới.",
    ),
    "authentication": (
        "Mã truy cập không được chấp nhận",
        "Chép mã hiện tại từ sổ tay rồi kết nối lại.",
    ),
    "wire_version": ("Phiên bản không khớp", "Cài cùng một phiên bản VieNeu Relay ở hai phía."),
    "server_too_old": (
        "Máy chủ quá cũ",
        "Tạo sổ tay mới bằng phiên bản này, hoặc nâng cấp vieneu-colab-server.",
    ),
    "server_too_new": ("Máy chủ quá mới", "Nâng cấp vieneu-core trên máy này."),
    "bad_response": ("Trả lời không dùng được", "Kiểm tra URL có dẫn tới máy chủ VieNeu."),
    "redirect_refused": ("Từ chối chuyển hướng", "Kết nối tới chính URL của máy chủ."),
    "not_vieneu_server": ("Không phải máy chủ VieNeu", "Kiểm tra URL có dẫn tới máy chủ VieNeu."),
    "bad_audio": ("Âm thanh hỏng", "Câu này được nơi khác đọc nếu sẵn sàng."),
    "internal": ("Máy chủ gặp lỗi", "Xem nhật ký của máy chủ."),
    "engine": ("Bộ máy đọc gặp lỗi", _FALLBACK),
    "model_load": (
        "Không nạp được mô hình",
        "Kiểm tra cấu hình và tệp của bộ máy: vieneu doctor",
    ),
    "device_memory": ("Hết bộ nhớ", "Dùng mô hình nhỏ hơn, hoặc giải phóng bộ nhớ."),
    "synthesis_failed": ("Câu không đọc được", _FALLBACK),
    "unpronounceable": (
        "Giọng này không có âm cho câu",
        "Giọng khác sẽ đọc câu này nếu có; nếu không, hãy viết bằng chữ Latinh.",
    ),
    "worker_died": ("Tiến trình đọc đã chết", "Nó được tự khởi động lại."),
    "all_backends_failed": (
        "Không nơi nào đọc được",
        "Xem nguyên nhân của từng nơi; vieneu doctor cho biết ở đây làm được gì.",
    ),
}
"""Title and remedy by code. An empty remedy: the error's own one is always told."""


def in_vietnamese(code: str, remedy: str) -> tuple[str, str] | None:
    """Return title and remedy of an error in Vietnamese.

    Args:
        code: Of the error.
        remedy: What the error itself says to do; where that is more than its class says, it stays.

    Returns:
        None where this version has no words for the code.
    """
    if code not in VIETNAMESE:
        return None
    title, translated = VIETNAMESE[code]
    cls = error_class(code)
    is_own = cls is None or remedy != cls.default_remedy
    return title, remedy if is_own or not translated else translated
