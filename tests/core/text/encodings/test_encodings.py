"""Text in files, pipes and arguments: decoded where its encoding is certain, else refused."""

from __future__ import annotations

import os
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from old_encodings import OLD

from vieneu_core.errors import TextEncodingError
from vieneu_core.text.encodings import TextDecoder, argument_text, decode_text

SENTENCES = (
    "Cửa trước đang mở, xin hãy kiểm tra lại.",
    "Nhiệt độ phòng khách là 25,5 độ, độ ẩm 60%.",
    "Máy giặt đã giặt xong; hãy phơi quần áo trước khi trời mưa!",
    "Đừng quên khóa cổng (hai lớp) và tắt bếp nhé.",
    "Pin của cảm biến ở phòng ngủ sắp hết: còn 5%.",
    "Ngày mai nghỉ lễ, chuông báo thức sẽ không reo.",
)
TEXT = "\n".join(SENTENCES)
names = pytest.mark.parametrize("name", list(OLD))


def in_pieces(data: bytes, size: int) -> list[str]:
    decoder = TextDecoder("a.txt")
    pieces = [decoder.push(data[at : at + size]) for at in range(0, len(data), size)]
    return [*pieces, decoder.finish()]


@pytest.mark.parametrize("text", [*SENTENCES, TEXT, "Cửa mở", "Xin chào bạn.", "cháy!", "Bắc Kạn"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", *OLD, "utf-16-be with its mark"]
)
def test_text_is_read_in_its_encoding(text: str, encoding: str) -> None:
    if encoding in OLD:
        data = OLD[encoding](text)
    elif encoding.startswith("utf-16-be"):
        data = b"\xfe\xff" + text.encode("utf-16-be")
    else:
        data = text.encode(encoding)
    got = decode_text(data, "a.txt")
    # TCVN3 has no capital letters with tones; fonts made them of the small ones.
    assert got.lower() == text.lower()
    assert got == text or encoding == "TCVN3"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(("TCVN3", text) for text in ("ký", "kỳ", "kế", "30k/ký", "quý 1/2024", "quý ba")),
        *(("CP1258", text) for text in ("ô kê", "ô kê không?", "wi fi ô kê", "quân")),
        *(("VNI", text) for text in ("quý", "quý III", "quý ba", "quốc")),
    ],
)
def test_a_short_text_is_read_in_its_encoding(encoding: str, text: str) -> None:
    assert decode_text(OLD[encoding](text), "a.txt") == text


@names
@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 40))
def test_a_pipe_is_read_as_the_whole_is(name: str, size: int) -> None:
    data = OLD[name](TEXT)
    got = in_pieces(data, size)
    assert unicodedata.normalize("NFC", "".join(got)) == decode_text(data, "a.txt")


@names
def test_a_pipe_is_read_before_its_end(name: str) -> None:
    data = OLD[name](TEXT)
    n_bytes = len(OLD[name](SENTENCES[0] + "\n"))
    decoder = TextDecoder("a.txt")
    early = decoder.push(data[:n_bytes])
    assert unicodedata.normalize("NFC", early) == SENTENCES[0] + "\n"


def test_utf_8_passes_at_once_and_characters_may_be_split() -> None:
    decoder = TextDecoder("a.txt")
    assert decoder.push(b"Xin ch") == "Xin ch"
    assert decoder.push("à".encode()[:1]) == ""
    assert decoder.push("à".encode()[1:] + b"o") == "ào"
    assert decoder.finish() == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"caf\xe9 au lait d\xe9j\xe0 vu", "a.txt is not UTF-8: byte 4 of line 1."),
        ("Xin chào.\nCửa".encode() + b"\xff\n", "a.txt is not UTF-8: byte 6 of line 2."),
        ("Cửa ".encode() + OLD["CP1258"]("trước"), "a.txt is not UTF-8: byte 9 of line 1."),
        ("Mở cửa\nđ".encode()[:-1], "a.txt is not UTF-8: byte 1 of line 2."),
        ("Cửa mở".encode("utf-16-le"), "a.txt is not UTF-8: byte 2 of line 1."),
        ("Cửa mở".encode("utf-16")[:-1], "a.txt is not UTF-16-LE: byte 13 of line 1."),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a.txt is not UTF-8: byte 1 of line 1."),
        ("привет, мир".encode("cp1251"), "a.txt is not UTF-8: byte 1 of line 1."),
        ("你好，世界".encode("gb18030"), "a.txt is not UTF-8: byte 1 of line 1."),
        ("Größe und Straße".encode("latin-1"), "a.txt is not UTF-8: byte 3 of line 1."),
        (bytes(range(0x80, 0x100)), "a.txt is not UTF-8: byte 1 of line 1."),
    ],
)
def test_what_is_not_certain_is_refused_with_the_place(data: bytes, message: str) -> None:
    with pytest.raises(TextEncodingError) as caught:
        decode_text(data, "a.txt")
    assert caught.value.detail == message
    with pytest.raises(TextEncodingError):
        in_pieces(data, 1)


@names
def test_an_encoding_that_changes_midway_is_refused(name: str) -> None:
    other = next(other for other in OLD if other != name)
    with pytest.raises(TextEncodingError):
        decode_text(OLD[name](TEXT) + b"\n" + OLD[other](TEXT * 3), "a.txt")
    with pytest.raises(TextEncodingError):
        in_pieces(OLD[name](TEXT) + b"\n" + OLD[other](TEXT * 3), 50)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_alike_in_pieces_or_refused(data: bytes) -> None:
    try:
        whole = decode_text(data, "a")
    except TextEncodingError:
        return
    assert isinstance(whole, str)
    if data.isascii():
        assert whole == data.decode()


@names
def test_an_argument_of_another_locale_is_what_was_typed(name: str) -> None:
    data = OLD[name](SENTENCES[0])
    argument = data.decode(sys.getfilesystemencoding(), "surrogateescape")
    assert os.fsencode(argument) == data
    assert argument_text(argument, "The text") == SENTENCES[0]
    assert argument_text(SENTENCES[0], "The text") == SENTENCES[0]
