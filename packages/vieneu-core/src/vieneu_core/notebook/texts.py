"""What the notebook says outside of its code: Vietnamese and English, by key."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "intro": (
        (
            "# Giọng nói tiếng Việt cho ngôi nhà\n\n"
            "Sổ tay này chạy máy chủ VieNeu Relay {version} trên GPU của Colab. Chọn **Runtime →"
            " Change"
            " runtime type → T4 GPU**, rồi **Runtime → Run all**. Khi ô 6 hiện địa chỉ, ngôi nhà đã"
            " có thể nói.\n\n"
            "**Điều khoản của Colab.** [Trang hỏi đáp của"
            " Colab](https://research.google.com/colaboratory/faq.html) không cho phép phục vụ"
            " nội dung"
            " đa phương tiện hay dịch vụ web không liên quan đến tính toán tương tác, nhất là trên"
            " runtime miễn phí. Bạn tự quyết định và tự chịu rủi ro. Không có gì ở đây giữ phiên"
            " sống"
            " một cách giả tạo. Máy chủ này cũng chạy trên bất kỳ máy nào của bạn: `vieneu-server`."
        ),
        (
            "# A Vietnamese voice for the house\n\n"
            "This notebook runs the server of VieNeu Relay {version} on a GPU of Colab. Choose"
            " **Runtime → Change runtime type → T4 GPU**, then **Runtime → Run all**. When cell 6"
            " shows an"
            " address, the house can speak.\n\n"
            "**Colab's terms.** [Colab's FAQ](https://research.google.com/colaboratory/faq.html)"
            " does"
            " not allow serving media or web services that are not related to interactive compute,"
            " free runtimes least of all. You decide, at your own risk. Nothing here keeps a"
            " session"
            " alive artificially. The same server runs on any machine of your own: `vieneu-server`."
        ),
    ),
    "token_inside": (
        (
            "⚠️ **Mã truy cập nằm trong tệp này.** Ai đọc được tệp thì dùng được máy chủ của bạn."
            " Đừng"
            " chia sẻ sổ tay này."
        ),
        (
            "⚠️ **The token is in this file.** Whoever can read the file can use your server. Do"
            " not"
            " share this notebook."
        ),
    ),
    "token_outside": (
        (
            "Mã truy cập không nằm trong tệp này. Ô 5 sẽ hỏi, hoặc lấy từ mục Secrets của Colab:"
            " `VIENEU_TOKEN`, và `NGROK_AUTHTOKEN` cho ngrok."
        ),
        (
            "The token is not in this file. Cell 5 asks for it, or takes it from Colab's Secrets:"
            " `VIENEU_TOKEN`, and `NGROK_AUTHTOKEN` for ngrok."
        ),
    ),
    "drive": ("1 · Giữ mô hình trên Google Drive", "1 · Keep the model on Google Drive"),
    "drive_why": (
        "Tắt sẵn. Khi bật, phiên sau không phải tải lại mô hình; Colab sẽ xin quyền vào Drive.",
        (
            "Off by default. When on, the next session need not fetch the model again; Colab asks"
            " for"
            " access to your Drive."
        ),
    ),
    "packages": ("2 · Gói hệ thống", "2 · System packages"),
    "packages_why": (
        "Cài những gì còn thiếu trên máy; trên Colab thường không thiếu gì.",
        "Installs what the machine lacks; on Colab that is usually nothing.",
    ),
    "server": ("3 · Cài máy chủ và bộ máy giọng nói", "3 · Install the server and the engine"),
    "server_why": (
        "`auto` chọn `pytorch` khi có GPU, nếu không thì `gguf`.",
        "`auto` takes `pytorch` where there is a GPU, else `gguf`.",
    ),
    "drive_mount": (
        "❌ Không kết nối được Google Drive: {detail}",
        "❌ Google Drive cannot be mounted: {detail}",
    ),
    "drive_mount_next": (
        "Cho phép truy cập khi Colab hỏi, hoặc tắt DRIVE_CACHE; rồi chạy lại ô 1.",
        "Allow the access that Colab asks for, or switch DRIVE_CACHE off; then run cell 1 again.",
    ),
    "system_packages": (
        "❌ Không cài được gói hệ thống libgomp1: apt-get dừng với mã lỗi {code}.",
        "❌ The system package libgomp1 cannot be installed: apt-get ended with exit code {code}.",
    ),
    "system_packages_next": (
        "Xem các dòng của apt-get ở trên rồi chạy lại ô 2, hoặc tự cài libgomp1.",
        "Read the lines of apt-get above and run cell 2 again, or install libgomp1 yourself.",
    ),
    "packages_damaged": (
        "❌ Gói {name} trong notebook bị hỏng: mã kiểm SHA-256 không khớp.",
        "❌ The package {name} in this notebook is damaged: its SHA-256 differs.",
    ),
    "packages_damaged_next": ("Hãy tạo lại notebook.", "Make the notebook again."),
    "packages_install": ("❌ Không cài được máy chủ", "❌ The server cannot be installed"),
    "pip_disk": (
        "ổ đĩa của runtime đã đầy hoặc không ghi được.",
        "the disk of this runtime is full or cannot be written.",
    ),
    "pip_disk_next": (
        "Chọn Runtime → Disconnect and delete runtime, rồi Runtime → Run all.",
        "Choose Runtime → Disconnect and delete runtime, then Runtime → Run all.",
    ),
    "pip_python": (
        "Python của runtime này quá cũ; các dòng của pip ở trên cho biết cần bản nào.",
        "the Python of this runtime is too old; the lines of pip above name the one it needs.",
    ),
    "pip_python_next": (
        "Chọn phiên bản mới nhất trong Runtime → Change runtime type, rồi Runtime → Run all.",
        "Choose the latest version in Runtime → Change runtime type, then Runtime → Run all.",
    ),
    "pip_wheel": ("một gói bị hỏng.", "a package is damaged."),
    "pip_wheel_next": (
        "Hãy tạo lại notebook; nếu pip nêu một gói khác thì chạy lại ô {cell}.",
        "Make the notebook again; where pip names another package, run cell {cell} again.",
    ),
    "pip_index": ("kho gói của pip đang gặp sự cố.", "the package index does not work now."),
    "pip_index_next": (
        "Chờ vài phút rồi chạy lại ô {cell}.",
        "Wait some minutes and run cell {cell} again.",
    ),
    "pip_network": (
        "không kết nối được tới kho gói.",
        "the package index cannot be reached.",
    ),
    "pip_network_next": (
        "Kiểm tra kết nối mạng của runtime rồi chạy lại ô {cell}.",
        "Check the network of the runtime and run cell {cell} again.",
    ),
    "pip_conflict": (
        "các gói cần những phiên bản không dùng chung được.",
        "the packages need versions that exclude each other.",
    ),
    "pip_conflict_next": (
        (
            "Chọn Runtime → Disconnect and delete runtime, rồi Runtime → Run all. Nếu vẫn lỗi, hãy"
            " tạo lại notebook bằng phiên bản VieNeu Relay mới nhất."
        ),
        (
            "Choose Runtime → Disconnect and delete runtime, then Runtime → Run all. If it fails"
            " again, make the notebook with the newest version of VieNeu Relay."
        ),
    ),
    "pip_git": ("không lấy được mã nguồn bằng git.", "git cannot fetch the source."),
    "pip_git_next": (
        (
            "Kiểm tra URL và nhánh đã đưa cho vieneu notebook --git; kho phải đọc được mà không cần"
            " mật khẩu."
        ),
        (
            "Check the URL and the revision given to vieneu notebook --git; the repository must be"
            " readable without a password."
        ),
    ),
    "pip_missing": (
        "kho gói không đưa ra gói cần thiết: gói không có ở đó, hoặc kho đang gặp sự cố.",
        (
            "the package index does not offer a package that is needed: it is not there, or the"
            " index does not work now."
        ),
    ),
    "pip_missing_next": (
        (
            "Chờ vài phút rồi chạy lại ô {cell}. Nếu pip nêu vieneu-core hay vieneu-colab-server,"
            " hãy tạo lại notebook không có --pypi."
        ),
        (
            "Wait some minutes and run cell {cell} again. If pip names vieneu-core or"
            " vieneu-colab-server, make the notebook again without --pypi."
        ),
    ),
    "pip_unknown": ("pip dừng với mã lỗi {code}.", "pip ended with exit code {code}."),
    "pip_unknown_next": (
        (
            "Xem các dòng của pip ở trên rồi chạy lại ô {cell}; nếu vẫn lỗi, chọn Runtime →"
            " Disconnect and delete runtime, rồi Runtime → Run all."
        ),
        (
            "Read the lines of pip above and run cell {cell} again; if it fails again, choose"
            " Runtime → Disconnect and delete runtime, then Runtime → Run all."
        ),
    ),
    "model": ("4 · Tải mô hình", "4 · Fetch the model"),
    "model_why": (
        "Để trống thì dùng mô hình mặc định của bộ máy.",
        "Left empty, the engine's default model is taken.",
    ),
    "start": ("5 · Chạy máy chủ và mở đường hầm", "5 · Start the server, open the tunnel"),
    "start_why": (
        (
            "Địa chỉ chỉ hiện sau khi mô hình đã đọc thử một câu. Chạy lại ô này thì máy chủ và"
            " đường"
            " hầm cũ được đóng trước."
        ),
        (
            "The address is shown only after the model has spoken a test sentence. Running this"
            " cell"
            " again closes the old server and tunnel first."
        ),
    ),
    "watch": ("6 · Địa chỉ của máy chủ", "6 · The server's address"),
    "watch_why": (
        "Ô này chạy cho đến khi bạn dừng nó (■); khi đó máy chủ và đường hầm được đóng.",
        "This cell runs until you stop it (■); then the server and the tunnel are closed.",
    ),
}


def text_of(language: str, key: str, **values: object) -> str:
    """Return a text in Vietnamese (``vi``) or else in English, with its values filled in."""
    vietnamese, english = TEXTS[key]
    return (vietnamese if language == "vi" else english).format(**values)
