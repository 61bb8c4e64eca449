"""What the command line says, in English and in Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Language(StrEnum):
    """A language that the command line speaks."""

    ENGLISH = "en"
    VIETNAMESE = "vi"


WORDS: Mapping[str, tuple[str, str]] = {
    # saying
    "loading": ("Getting ready…", "Đang chuẩn bị…"),
    "loading_step": ("Loading", "Đang nạp"),
    "loading_model": ("Loading the model…", "Đang nạp mô hình…"),
    "downloading": ("Downloading the model: {done} MB", "Đang tải mô hình: {done} MB"),
    "downloading_of": (
        "Downloading the model: {done} of {total} MB",
        "Đang tải mô hình: {done} / {total} MB",
    ),
    "speaking": (
        "Sentence {n}, {seconds} s of audio, {who}",
        "Câu {n}, {seconds} giây âm thanh, {who}",
    ),
    "type_here": (
        "Type; each line is spoken after Enter. Ctrl-D ends.",
        "Hãy gõ; mỗi dòng được đọc sau phím Enter. Ctrl-D để kết thúc.",
    ),
    "stand_in": (
        "{who} spoke {which} in place of {chosen}: {why}.",
        "{who} đã đọc {which} thay cho {chosen}: {why}.",
    ),
    "missing_voice": (
        "There is no voice {voice}, which local.voice of the settings names. See: vieneu voices",
        "Không có giọng {voice} mà local.voice trong cấu hình chọn. Xem: vieneu voices",
    ),
    "missing_voice_spoken": (
        (
            "There is no voice {voice}, which local.voice of the settings names: {spoke} spoke."
            " See: vieneu voices"
        ),
        (
            "Không có giọng {voice} mà local.voice trong cấu hình chọn: {spoke} đã đọc thay."
            " Xem: vieneu voices"
        ),
    ),
    "all_sentences": ("everything", "toàn bộ"),
    "some_sentences": ("sentence {numbers}", "câu {numbers}"),
    "not_ready": ("it was not ready", "chưa sẵn sàng"),
    "written": ("{path}: {seconds} s of speech", "{path}: {seconds} giây tiếng nói"),
    "first_audio": ("Time to first audio", "Chờ âm thanh đầu"),
    "load_time": ("Getting ready", "Chuẩn bị"),
    "audio_length": ("Audio", "Âm thanh"),
    "making_time": ("Made in", "Tạo trong"),
    "real_time_factor": ("Real-time factor", "Hệ số thời gian thực"),
    "sentence": ("Sentence", "Câu"),
    "spoken_by": ("Spoken by", "Nơi đọc"),
    "engine": ("Engine", "Bộ máy"),
    "voice": ("Voice", "Giọng"),
    "length": ("Length", "Độ dài"),
    "stand_in_mark": ("stand-in", "thay thế"),
    # notebooks
    "notebook_written": ("{path}: written.", "{path}: đã ghi."),
    "notebook_next": (
        (
            "Next: open https://colab.research.google.com, File → Upload notebook, choose the"
            " file, then Runtime → Run all. Read first what Colab's terms say: docs/colab.md"
        ),
        (
            "Tiếp theo: mở https://colab.research.google.com, File → Upload notebook, chọn tệp"
            " này, rồi Runtime → Run all. Trước đó hãy đọc điều khoản của Colab: docs/colab.md"
        ),
    ),
    "from_pypi": (
        (
            "It installs vieneu-core and vieneu-colab-server {version} from PyPI. Use it only if"
            " the project has published this version there: docs/colab.md#settings"
        ),
        (
            "Notebook cài vieneu-core và vieneu-colab-server {version} từ PyPI. Chỉ dùng khi dự án"
            " đã phát hành phiên bản này ở đó: docs/colab.md#settings"
        ),
    ),
    "token_inside": (
        (
            "The token is in the notebook: whoever can read it can use your server. It is kept in"
            " {path} too, so that vieneu connect URL needs nothing else."
        ),
        (
            "Mã truy cập nằm trong sổ tay: ai đọc được thì dùng được máy chủ của bạn. Mã cũng được"
            " giữ trong {path}, nên vieneu connect URL không cần gì thêm."
        ),
    ),
    # voices
    "name": ("Name", "Tên"),
    "language": ("Language", "Ngôn ngữ"),
    "clip_cut": (
        "Of {whole} s of speech the first {seconds} s were kept: the text must end there too.",
        "Trong {whole} giây tiếng nói chỉ giữ {seconds} giây đầu: văn bản cũng phải dừng ở đó.",
    ),
    "clip_louder": (
        "The clip was made {db} dB louder.",
        "Đoạn âm thanh đã được tăng {db} dB.",
    ),
    "clip_quieter": (
        "The clip was made {db} dB quieter.",
        "Đoạn âm thanh đã được giảm {db} dB.",
    ),
    "voice_added": (
        "Added the voice {id} ({seconds} s). Speak with it: vieneu say --voice {id} TEXT",
        "Đã thêm giọng {id} ({seconds} giây). Đọc bằng giọng này: vieneu say --voice {id} VĂN_BẢN",
    ),
    "own_voice": ("added", "tự thêm"),
    "own_voices_silent": (
        "Added, but not spoken by what speaks next: {ids}",
        "Đã thêm, nhưng nơi đọc kế tiếp không đọc được: {ids}",
    ),
    "voice_removed": ("Removed the voice {id}.", "Đã xoá giọng {id}."),
    # models, optimize
    "kind": ("Kind", "Loại"),
    "size": ("Size", "Dung lượng"),
    "licence": ("Licence", "Giấy phép"),
    "here": ("Here", "Đã có"),
    "reading_words": ("Reading words:", "Đang đọc từ:"),
    "writing_model": ("Writing the model", "Đang ghi mô hình"),
    "trimmed": (
        "{path}: {before} MB became {after} MB, {tokens_before} tokens {tokens_after}.",
        "{path}: từ {before} MB còn {after} MB, {tokens_before} còn {tokens_after} token.",
    ),
    "not_watermarked": (
        "The speech carries no watermark: none can be made here.",
        "Âm thanh không có dấu chìm: ở đây không đóng dấu được.",
    ),
    # status
    "mode": ("Mode", "Chế độ"),
    "active": ("Speaks next", "Nơi đọc kế tiếp"),
    "active_stand_in": ("{name} (stand-in)", "{name} (thay thế)"),
    "state": ("State", "Trạng thái"),
    "checked": ("Checked", "Kiểm tra"),
    "ago": ("{duration} ago", "{duration} trước"),
    "voice_not_there": ("Missing voice", "Thiếu giọng"),
    "circuit": ("Circuit", "Cầu dao"),
    "model": ("Model", "Mô hình"),
    "version": ("Version", "Phiên bản"),
    "latency": ("Latency", "Độ trễ"),
    "accelerator": ("Accelerator", "Bộ tăng tốc"),
    "gpu_memory": ("GPU memory", "Bộ nhớ GPU"),
    "uptime": ("Running for", "Đã chạy"),
    "remaining": ("Session left", "Phiên còn lại"),
    "queue": ("Queue", "Hàng đợi"),
    "budget": ("Tunnel, {month}", "Đường hầm, {month}"),
    "budget_used": (
        "{requests} of {max_requests} requests, {megabytes} of {max_megabytes} MB ({percent} %)",
        "{requests}/{max_requests} yêu cầu, {megabytes}/{max_megabytes} MB ({percent} %)",
    ),
    "backend_local": ("local", "tại chỗ"),
    "backend_remote": ("remote", "từ xa"),
    "backend_last_resort": ("last resort", "dự phòng"),
    "state_not_configured": ("not set up", "chưa thiết lập"),
    "state_unloaded": ("not loaded", "chưa nạp"),
    "state_loading": ("loading", "đang nạp"),
    "state_ready": ("ready", "sẵn sàng"),
    "state_degraded": ("degraded", "chập chờn"),
    "state_draining": ("shutting down", "đang dừng"),
    "state_unreachable": ("unreachable", "không tới được"),
    "state_unauthorized": ("token refused", "mã bị từ chối"),
    "state_expired": ("session over", "hết phiên"),
    "state_failed": ("failed", "hỏng"),
    "circuit_closed": ("closed", "đóng (thông)"),
    "circuit_open": ("open", "ngắt"),
    "circuit_half_open": ("half open", "thử lại"),
    "hours": ("{hours} h {minutes} min", "{hours} giờ {minutes} phút"),
    "minutes": ("{minutes} min", "{minutes} phút"),
    "seconds": ("{seconds} s", "{seconds} giây"),
    # mode, connect, disconnect
    "mode_set": ("Mode is now {mode}.", "Chế độ bây giờ: {mode}."),
    "mode_disabled": (
        "The settings say remote, but colab.enabled is false.",
        "Cấu hình ghi remote, nhưng colab.enabled là false.",
    ),
    "token_prompt": ("Token: ", "Mã truy cập: "),
    "connecting": ("Looking at {url}…", "Đang kiểm tra {url}…"),
    "connected": ("Connected to {url}", "Đã kết nối {url}"),
    "saved": ("Saved in", "Đã lưu vào"),
    "token_not_saved": (
        "The token stays in COLAB_AUTH_TOKEN; it was not written to the file.",
        "Mã truy cập vẫn ở COLAB_AUTH_TOKEN; không ghi vào tệp.",
    ),
    "use_remote": ("Speak there: vieneu mode remote", "Để đọc ở đó: vieneu mode remote"),
    "server_outdated": (
        "The server has version {theirs}, older than {own} here. Upgrade vieneu-colab-server.",
        "Máy chủ có phiên bản {theirs}, cũ hơn {own} ở đây. Nâng cấp vieneu-colab-server.",
    ),
    "token_rotated": (
        "The server has a new token, kept in {path}. The old one ends in ten minutes.",
        "Máy chủ có mã truy cập mới, đã lưu vào {path}. Mã cũ hết hiệu lực sau mười phút.",
    ),
    "disconnected": (
        "Disconnected; the token was removed.",
        "Đã ngắt kết nối; mã truy cập đã xoá.",
    ),
    "not_connected": ("No server is connected.", "Chưa kết nối máy chủ nào."),
    "environment_remains": (
        "Still set in the environment: {names}",
        "Vẫn còn trong biến môi trường: {names}",
    ),
    # test
    "result": ("Result", "Kết quả"),
    "spoke": ("spoke", "đọc được"),
    "rtf": ("RTF", "RTF"),
    # doctor
    "topic_python": ("Python", "Python"),
    "topic_core": ("VieNeu Relay", "VieNeu Relay"),
    "topic_embedded_voice": ("Embedded voice", "Giọng có sẵn"),
    "topic_audio_files": ("Audio files", "Tệp âm thanh"),
    "topic_player": ("Player", "Trình phát"),
    "topic_hardware": ("Machine", "Máy"),
    "topic_engine": ("Engine", "Bộ máy"),
    "topic_watermark": ("Watermark", "Dấu chìm"),
    "absent_engine": ("not installed", "chưa cài"),
    "absent_watermark": ("not installed", "chưa cài"),
    "topic_settings": ("Settings", "Cấu hình"),
    "topic_environment": ("Environment", "Biến môi trường"),
    "topic_local_engine": ("Local engine", "Bộ máy tại chỗ"),
    "topic_voice": ("Voice", "Giọng"),
    "topic_remote": ("Remote server", "Máy chủ từ xa"),
    "absent_embedded_voice": ("not installed", "chưa cài"),
    "absent_audio_files": ("not installed", "chưa cài"),
    "absent_player": (
        "none; speech can be written to a file (-o)",
        "không có; vẫn ghi ra tệp được (-o)",
    ),
    "absent_settings": ("no file yet, defaults apply", "chưa có tệp, dùng mặc định"),
    "absent_environment": ("set, and win over the file", "đang đặt, thắng tệp"),
    "absent_voice": (
        "the engine has no such voice; choose one of",
        "bộ máy không có giọng này; hãy chọn một trong",
    ),
    "absent_remote": ("not connected", "chưa kết nối"),
    "readable_settings": ("others can read it", "người khác đọc được"),
    # the end
    "interrupted": ("Interrupted.", "Đã dừng."),
    "unexpected": (
        "Something unexpected happened ({kind}). Set VIENEU_DEBUG=1 to see where, and report it.",
        "Có lỗi không ngờ ({kind}). Đặt VIENEU_DEBUG=1 để xem chi tiết, rồi báo lại.",
    ),
    "see_help": ("See: {command} --help", "Xem: {command} --help"),
}
"""Each line by its key: English, Vietnamese."""


class Words:
    """The lines of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._at = 1 if language is Language.VIETNAMESE else 0

    def __call__(self, key: str, **values: object) -> str:
        """Return a line with its values filled in."""
        return WORDS[key][self._at].format(**values)

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number as people of this language do: 1,234.5 or 1.234,5."""
        text = f"{value:,.{digits}f}"
        if self.language is Language.VIETNAMESE:
            return text.translate(str.maketrans(",.", ".,"))
        return text

    def duration(self, seconds: float) -> str:
        """Write a length of time."""
        whole = int(seconds)
        if whole < 60:  # noqa: PLR2004 - a minute
            return self("seconds", seconds=whole)
        if whole < 3600:  # noqa: PLR2004 - an hour
            return self("minutes", minutes=whole // 60)
        return self("hours", hours=whole // 3600, minutes=whole % 3600 // 60)


def choose_language(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """Return the language of ``--lang``, else of the locale (as setlocale(3) ranks variables)."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            break
        name, _, value = argument.partition("=")
        if name == "--lang":
            stated = value or next(iter(arguments[at + 1 :]), "")
            return Language.VIETNAMESE if stated == "vi" else Language.ENGLISH
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environ[name] for name in variables if environ.get(name)), "")
    return Language.VIETNAMESE if locale.lower().startswith("vi") else Language.ENGLISH
