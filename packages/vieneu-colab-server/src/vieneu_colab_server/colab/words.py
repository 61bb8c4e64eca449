"""Messages of the cells, in Vietnamese and English, by key."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    # the runtime
    "gpu": ("Có GPU. Công cụ đọc: {engine}.", "There is a GPU. Engine: {engine}."),
    "engine_alone": ("Công cụ đọc: {engine}.", "Engine: {engine}."),
    "no_gpu": (
        (
            "⚠️ Runtime này không có GPU. Chọn Runtime → Change runtime type → T4 GPU rồi chạy lại."
            " Nếu tiếp tục, công cụ đọc {engine} sẽ được dùng và chậm hơn nhiều."
        ),
        (
            "⚠️ This runtime has no GPU. Choose Runtime → Change runtime type → T4 GPU and run all"
            " again. If you continue, the engine {engine} is used, which is much slower."
        ),
    ),
    "installing": ("Đang cài công cụ đọc {engine}…", "Installing the engine {engine}…"),
    "engine_install": ("Không cài được công cụ đọc", "The engine cannot be installed"),
    # the model
    "fetching": ("Đang tải và nạp thử mô hình…", "Downloading the model and loading it once…"),
    "fetched_of": ("{step}: {done} / {total} MB", "{step}: {done} of {total} MB"),
    "fetched": ("{step}: {done} MB", "{step}: {done} MB"),
    "model_here": ("Mô hình đã sẵn sàng: {model}.", "The model is ready: {model}."),
    # secrets
    "ask_token": (
        "Mã truy cập trong cài đặt Home Assistant (để trống để tạo mã mới): ",
        "Token from the settings of Home Assistant (leave empty to make a new one): ",
    ),
    "ask_tunnel_secret": (
        "Mã bí mật {name} cho đường hầm (lấy tại {page}): ",
        "Secret {name} for the tunnel (from {page}): ",
    ),
    "token_made": (
        "Đã tạo mã truy cập mới. Xem và sao chép mã ở ô 6.",
        "A new token was made. Cell 6 has a link to see and copy it.",
    ),
    # what happens
    "loading": ("Đang khởi động máy chủ…", "Starting the server…"),
    "spoken": (
        "Mô hình đã đọc thử một câu. Đang mở đường hầm…",
        "The model has spoken a test sentence. Opening the tunnel…",
    ),
    "voice_prepared": ("Giọng đã chuẩn bị: {detail}", "Voice prepared: {detail}"),
    "voice_missing": (
        "⚠️ Không chuẩn bị được giọng {detail}",
        "⚠️ A voice cannot be prepared: {detail}",
    ),
    "address": ("Địa chỉ: {detail}", "Address: {detail}"),
    "address_sent": (
        "Home Assistant đã nhận địa chỉ mới.",
        "Home Assistant has the new address.",
    ),
    "address_not_sent": (
        "⚠️ Home Assistant chưa có địa chỉ mới: {detail}",
        "⚠️ Home Assistant does not have the new address: {detail}",
    ),
    "tunnel_lost": (
        "⚠️ Mất đường hầm, đang mở lại: {detail}",
        "⚠️ The tunnel is lost and being opened again: {detail}",
    ),
    "server_ended": (
        "⚠️ Máy chủ đã dừng, đang khởi động lại: {detail}",
        "⚠️ The server has ended and is being restarted: {detail}",
    ),
    "server_restarted": ("Máy chủ đã khởi động lại.", "The server has restarted."),
    "closing": ("Đang đóng máy chủ và đường hầm…", "Closing the server and the tunnel…"),
    "closed": (
        "Đã đóng máy chủ và đường hầm. Chạy lại ô 5 và 6 để mở lại.",
        "The server and the tunnel are closed. Run cells 5 and 6 to open them again.",
    ),
    "replacing": ("Đang đóng máy chủ cũ…", "Closing the old server…"),
    # the banner
    "ready": ("Máy chủ đã sẵn sàng", "The server is ready"),
    "url": ("Địa chỉ", "Address"),
    "token": ("Mã truy cập", "Token"),
    "copy": ("Sao chép", "Copy"),
    "copied": ("Đã sao chép", "Copied"),
    "reveal": ("Xem và sao chép mã", "See and copy the token"),
    "token_page": ("Mã truy cập của máy chủ VieNeu", "Token of the VieNeu server"),
    "token_page_why": (
        "Ai có mã này đều dùng được máy chủ của bạn. Trang này chỉ mở được khi ô 6 đang chạy.",
        "Anyone who has this token can use your server. This page is open only while cell 6 runs.",
    ),
    "ends": ("Phiên kết thúc lúc", "The session ends at"),
    "no_end": ("Phiên không giới hạn thời gian", "The session has no end"),
    "engine": ("Công cụ đọc", "Engine"),
    "scan": ("Quét để mở địa chỉ trên điện thoại", "Scan to open the address on a phone"),
    "next": ("Bước tiếp theo", "Next step"),
    "next_connected": (
        ("Home Assistant đã nhận địa chỉ. Trong Home Assistant, chọn nguồn giọng «Google Colab»."),
        ("Home Assistant has the address. In Home Assistant, select the backend “Google Colab”."),
    ),
    "next_paste": (
        (
            "Trong Home Assistant, mở tích hợp VieNeu, chọn «Cấu hình lại», rồi nhập địa chỉ và mã"
            " truy cập. Nếu không dùng Home Assistant, hãy chạy: vieneu connect {url}"
        ),
        (
            "In Home Assistant, open the integration VieNeu, choose “Reconfigure”, and enter the"
            " address and the token. Without Home Assistant, run: vieneu connect {url}"
        ),
    ),
    "keep_running": (
        "Để ô này tiếp tục chạy. Dừng ô (■) sẽ đóng máy chủ và đường hầm.",
        "Leave this cell running. Stopping it (■) closes the server and the tunnel.",
    ),
    # the status line
    "left": ("còn {left}", "{left} left"),
    "requests": ("{n} yêu cầu", "{n} requests"),
    "queue": ("hàng đợi {n}", "queue {n}"),
    "gpu_memory": ("GPU {used} / {total} GB", "GPU {used} of {total} GB"),
    "sent": ("đã gửi {mb} MB", "{mb} MB sent"),
    "sent_of": (
        "đã gửi {mb} MB ({share} % hạn mức tháng của ngrok miễn phí)",
        "{mb} MB sent ({share} % of a month of ngrok's free plan)",
    ),
    "away": ("máy chủ không trả lời", "the server does not answer"),
    "draining": (
        "phiên sắp kết thúc, không nhận yêu cầu mới",
        "the session is ending, no new requests",
    ),
}


class Words:
    """Messages of one language.

    Args:
        language: ``vi`` or ``en``; any other is taken for ``vi``.
    """

    def __init__(self, language: str) -> None:
        self.language = "en" if language.strip().lower() == "en" else "vi"

    def __call__(self, key: str, **values: object) -> str:
        """Return the message of a key, with its values put in."""
        vietnamese, english = WORDS[key]
        return (english if self.language == "en" else vietnamese).format(**values)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number in the notation of this language."""
        text = f"{value:,.{digits}f}"
        if self.language == "vi":
            text = text.translate(str.maketrans(",.", ".,"))
        return text

    def duration(self, seconds: float) -> str:
        """Return hours and minutes."""
        hours, minutes = divmod(max(0, int(seconds)) // 60, 60)
        if self.language == "vi":
            return f"{hours} giờ {minutes:02} phút"
        return f"{hours} h {minutes:02} min"
