"""Text of a file that a user of the Speak page chose, whatever its encoding."""

from __future__ import annotations

import io

import pytest
from old_encodings import OLD
from speak_user import SpeakUser

from vieneu_colab_server.settings import ServerSettings

TEXT = "Máy giặt đã giặt xong, hãy phơi quần áo.\r\nCửa trước đang mở."
FILE_TEXT = "/file-text"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", *OLD])
async def test_a_file_is_read_in_its_encoding(user: SpeakUser, encoding: str) -> None:
    data = OLD[encoding](TEXT) if encoding in OLD else TEXT.encode(encoding)
    assert await user.call("POST", FILE_TEXT, data=data) == {"text": TEXT}


async def test_a_file_that_may_be_anything_is_refused_with_the_place(user: SpeakUser) -> None:
    data = "Xin chào.\nCửa".encode() + b"\xff\n"
    problem = await user.call("POST", FILE_TEXT, status=422, data=data)
    assert problem["code"] == "text_encoding"
    assert problem["detail"] == "The file is not UTF-8: byte 6 of line 2."
    vietnamese = {"Accept-Language": "vi"}
    shown = await user.call("POST", "/problem-text", json=problem, headers=vietnamese)
    assert shown == {
        "detail": "Tệp không phải UTF-8: byte thứ 6 của dòng 2.",
        "remedy": "Lưu văn bản ở dạng UTF-8 rồi thử lại.",
    }


async def test_a_file_that_is_too_large_is_refused(user: SpeakUser) -> None:
    data = io.BytesIO(b"a" * (ServerSettings.model_fields["max_body_bytes"].default + 1))
    problem = await user.call("POST", FILE_TEXT, status=413, data=data)
    assert problem["code"] == "body_too_large"


async def test_an_empty_file_is_an_empty_text(user: SpeakUser) -> None:
    assert await user.call("POST", FILE_TEXT, data=b"") == {"text": ""}
