"""What the cells say: Vietnamese and English, by key."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    # the runtime
    "gpu": ("Có GPU. Bộ máy: {engine}.", "There is a GPU. Engine: {engine}."),
    "engine_alone": ("Bộ máy: {engine}.", "Engine: {engine}."),
    "no_gpu": (
        (
            "⚠️ Runtime này không có GPU. Chọn Runtime → Change runtime type → T4 GPU rồi chạy lại."
            " Nếu cứ tiếp tục thì dùng bộ máy {engine}, chậm hơn nhiều."
        ),
        (
            "⚠️ This runtime has no GPU. Choose Runtime → Change runtime type → T4 GPU and run all"
            " again. If you go on, the engine {engine} is used, which is much slower."
        ),
    ),
    "installing": ("Đang cài bộ máy {engine}…", "Installing the engine {engine}…"),
    "engine_install": ("Không cài được bộ máy", "The engine cannot be installed"),
    # the model
    "fetching": ("Đang lấy và nạp thử mô hình…", "Fetching the model, and trying to load it…"),
    "fetched_of": ("{step}: {done} / {total} MB", "{step}: {done} of {total} MB"),
    "fetched": ("{step}: {done} MB", "{step}: {done} MB"),
    "model_here": ("Mô hình đã sẵn sàng: {model}.", "The model is here: {model}."),
    # secrets
    "ask_token": (
        "Mã truy cập của ngôi nhà (để trống thì tạo mã mới): ",
        "The house's token (leave empty to make a new one): ",
    ),
    "ask_authtoken": (
        "Authtoken của ngrok (https://dashboard.ngrok.com/get-started/your-authtoken): ",
        "Authtoken of ngrok (https://dashboard.ngrok.com/get-started/your-authtoken): ",
    ),
    "token_made": (
        "Đã tạo mã truy cập mới; ô 6 cho xem và chép.",
        "A new token was made; cell 6 lets you see and copy it.",
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
    "house_told": ("Đã báo địa chỉ cho ngôi nhà.", "The house was told the address."),
    "house_not_told": (
        "⚠️ Không báo được cho ngôi nhà: {detail}",
        "⚠️ The house was not told: {detail}",
    ),
    "tunnel_lost": (
        "⚠️ Mất đường hầm, đang mở lại: {detail}",
        "⚠️ The tunnel is lost and being opened again: {detail}",
    ),
    "server_ended": (
        "⚠️ Máy chủ đã dừng, đang chạy lại: {detail}",
        "⚠️ The server has ended and is being started again: {detail}",
    ),
    "server_restarted": ("Máy chủ đã chạy lại.", "The server runs again."),
    "closing": ("Đang đóng máy chủ và đường hầm…", "Closing the server and the tunnel…"),
    "closed": (
        "Đã đóng máy chủ và đường hầm. Chạy lại ô 5 và 6 để mở lại.",
        "The server and the tunnel are closed. Run cells 5 and 6 to open them again.",
    ),
    "replacing": ("Đang đóng máy chủ cũ…", "Closing the old server…"),
    # the banner
    "ready": ("Ngôi nhà đã có thể nói", "The house can speak"),
    "url": ("Địa chỉ", "Address"),
    "token": ("Mã truy cập", "Token"),
    "copy": ("Chép", "Copy"),
    "copied": ("Đã chép", "Copied"),
    "reveal": ("Xem và chép mã", "See and copy the token"),
    "token_page": ("Mã truy cập của máy chủ VieNeu", "Token of the VieNeu server"),
    "token_page_why": (
        "Ai có mã này thì dùng được máy chủ của bạn. Trang này chỉ mở được trong lúc ô 6 chạy.",
        "Whoever has this token can use your server. This page opens only while cell 6 runs.",
    ),
    "ends": ("Phiên hết lúc", "The session ends at"),
    "no_end": ("Phiên không có giờ kết thúc", "The session has no end"),
    "engine": ("Bộ máy", "Engine"),
    "scan": ("Quét để mở địa chỉ trên điện thoại", "Scan for the address on a phone"),
    "next": ("Bước tiếp theo", "What to do next"),
    "next_told": (
        (
            "Không cần làm gì: ngôi nhà đã nhận địa chỉ. Trên bảng điều khiển, chọn nơi đọc «Google"
            " Colab»."
        ),
        (
            "Nothing: the house has taken the address. On its dashboard, choose the backend “Google"
            " Colab”."
        ),
    ),
    "next_paste": (
        (
            "Trên bảng điều khiển của ngôi nhà, mở tích hợp VieNeu, chọn «Cấu hình lại», rồi dán"
            " địa chỉ và mã truy cập. Không có bảng điều khiển thì chạy: vieneu connect {url}"
        ),
        (
            "On the house's dashboard open the integration VieNeu, choose “Reconfigure”, and paste"
            " address and token. Without a dashboard, run: vieneu connect {url}"
        ),
    ),
    "keep_running": (
        "Để ô này chạy. Dừng ô (■) thì máy chủ và đường hầm được đóng.",
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
    "draining": ("sắp hết phiên, không nhận thêm", "the session is ending, nothing new is taken"),
}


class Words:
    """The words of one language.

    Args:
        language: ``vi`` or ``en``; any other is taken for ``vi``.
    """

    def __init__(self, language: str) -> None:
        self.language = "en" if language.strip().lower() == "en" else "vi"

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key, with its values put in."""
        vietnamese, english = WORDS[key]
        return (english if self.language == "en" else vietnamese).format(**values)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number as this language writes it."""
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
