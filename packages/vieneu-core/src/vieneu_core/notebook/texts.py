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
    "damaged": (
        "Gói {name} trong sổ tay bị hỏng: mã kiểm SHA-256 không khớp. Hãy tạo lại sổ tay.",
        (
            "The package {name} in this notebook is damaged: its SHA-256 differs. Make the notebook"
            " again."
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
