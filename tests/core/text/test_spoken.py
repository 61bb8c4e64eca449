"""The whole preparation of a sentence: errors, any text, and the time that it takes."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepared_text import vietnamese

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.sentence_splitter import split_sentences


@pytest.mark.parametrize(
    ("text", "n_sentences"),
    [
        ("Chỉ số PM2.5 hôm nay cao. Hãy đeo khẩu trang.", 2),
        ("Phiên bản v2.3.1 đã có.", 1),
        ("Gọi 024.3825.1234 để biết thêm.", 1),
        ("Vào www.google.com.vn mà tìm.", 1),
        ("TP. HCM có mưa. Q.1 ngập.", 2),
        ("Biển số 30A-123.45 đậu sai chỗ.", 1),
        ("Nhiệt độ 36.6°C. Bình thường.", 2),
        ("Địa chỉ IP là 192.168.1.1. Hết.", 2),
    ],
)
def test_a_full_stop_within_a_form_ends_no_sentence(text: str, n_sentences: int) -> None:
    assert len(split_sentences(text)) == n_sentences


@pytest.mark.parametrize("text", ["...", "!!!", "😀🎉", "\u200b", "—", "«»", "<|endoftext|>", "🇻🇳"])
def test_what_cannot_be_pronounced_is_an_error(text: str) -> None:
    with pytest.raises(EmptyTextError):
        vietnamese(text)


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from("0123456789.,:;/-–+%$€@#&°()đĐkKhmIVX ₫"),
            st.characters(max_codepoint=0x1EFF),
            st.characters(),
        ),
        max_size=60,
    )
)
def test_whatever_is_written_only_words_are_left(text: str) -> None:
    try:
        words = vietnamese(text)
    except EmptyTextError:
        return
    assert any(char.isalpha() for char in words)
    assert [c for c in words if not (c.isalpha() or c in " .,!?'" or c in "\u0300\u0301")] == []


@pytest.mark.parametrize(
    "hostile",
    [
        "1." * 150,
        "a@" * 150,
        "@" * 300,
        "0 " * 150,
        "+" * 300,
        "http://" + "a" * 290,
        "IVXLC" * 60,
        "(" * 150 + ")" * 150,
        "-1-" * 100,
        "a.b" * 100,
        "1/2" * 100,
        "[cười" * 60,
        "#" * 299 + "a",
        "9" * 300,
        "a_" * 150,
        "A1-" * 100,
        "x1" * 150,
        "1h" * 150,
        "1d " * 100,
        "<a " * 100,
        "<a b=" * 60,
        "/a" * 150,
        "T2, " * 75,
        "a." * 150,
        "mật khẩu " + "a1" * 145,
        "AA:" * 100,
        "abcdef-" * 42,
        "5 V / " * 50,
        "P." * 150,
        "$a" * 150,
        "1.5 " * 75,
        "đèn " * 75,
        "uống 2 " * 42,
    ],
)
def test_a_hostile_sentence_takes_no_longer_than_a_plain_one(hostile: str) -> None:
    """The time is the processor's, and the bound a thousand times what any of them takes."""
    began_s = time.process_time()
    with contextlib.suppress(EmptyTextError):
        vietnamese(hostile)
    assert time.process_time() - began_s < 5
