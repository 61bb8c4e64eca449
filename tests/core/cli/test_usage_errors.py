"""Wrong usage is told in the language of the reader, from end to end."""

from __future__ import annotations

import pytest

from vieneu_core.cli.app import run
from vieneu_core.i18n import Messages

VIETNAMESE = {
    "say --vioce x a": "Không có tùy chọn --vioce. Có phải bạn muốn dùng --mode, --voice? "
    "Xem: vieneu say --help",
    "--nope": "Không có tùy chọn --nope. Xem: vieneu --help",
    "sai": "Không có lệnh sai. Có phải bạn muốn dùng 'say'? Xem: vieneu --help",
    "voices nope": "Không có lệnh nope. Xem: vieneu voices --help",
    "--lang vi": "Thiếu lệnh. Xem: vieneu --help",
    "say": "Thiếu đối số 'text'. Xem: vieneu say --help",
    "notebook": "Thiếu tùy chọn '-o' / '--output'. Xem: vieneu notebook --help",
    "say a b": "Thừa đối số: b. Xem: vieneu say --help",
    "say a --voice": "Tùy chọn --voice cần một giá trị. Xem: vieneu --help",
    "say a --stats=3": "Tùy chọn --stats không nhận giá trị. Xem: vieneu --help",
    "say a --speed x": "Giá trị của '--speed' không hợp lệ: phải là một số. Xem: vieneu say --help",
    "say a --speed 0.1": "Giá trị của '--speed' không hợp lệ: phải từ 0,5 trở lên. "
    "Xem: vieneu say --help",
    "say a --mode x": "Giá trị của '--mode' không hợp lệ: phải là một trong local, remote. "
    "Xem: vieneu say --help",
    "mode --lang xx": "Giá trị của '--lang' không hợp lệ: phải là một trong en, vi. "
    "Xem: vieneu mode --help",
}


@pytest.mark.parametrize("arguments", VIETNAMESE)
def test_wrong_usage_is_told_in_vietnamese(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments.split(), Messages("vi", "cli")) == 2
    assert capsys.readouterr().err == f"vieneu: {VIETNAMESE[arguments]}\n"
