from __future__ import annotations

import contextlib
import csv
import re
import time
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.clean import is_speakable
from vieneu_core.text.sentence_splitter import split_sentences
from vieneu_core.text.spoken import spoken as prepared


def rows_of(table: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = rows_of("spoken_pairs.tsv")
HOME_ROWS = rows_of("home_pairs.tsv")
WRITTEN = [row["written"] for row in ROWS]


def plain(text: str) -> str:
    """Words alone: where the pauses are is for the ear to judge."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def vietnamese(text: str) -> str:
    return prepared(text, "vi")


def spoken(text: str) -> str:
    return plain(vietnamese(text))


def test_the_table_is_large_and_speaks_of_many_things() -> None:
    assert len(ROWS) >= 300
    assert len(HOME_ROWS) >= 300
    assert len(set(WRITTEN)) == len(WRITTEN)
    assert len(Counter(row["category"] for row in ROWS)) >= 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['category']}: {row['written']}")
def test_it_is_spoken_as_people_say_it(row: dict[str, str]) -> None:
    assert spoken(row["written"]) == row["spoken"]


@pytest.mark.parametrize("row", HOME_ROWS, ids=lambda row: f"{row['category']}: {row['written']}")
def test_it_is_spoken_as_a_home_means_it(row: dict[str, str]) -> None:
    """With the pauses, and the marks at the end."""
    assert vietnamese(row["written"]) == row["spoken"]


@pytest.mark.parametrize("row", HOME_ROWS[::5], ids=lambda row: row["written"])
def test_a_home_is_meant_within_a_sentence_too(row: dict[str, str]) -> None:
    if row["written"][-1] in ".,!?" or row["category"] in {"câu", "đ", "dấu", "chat"}:
        pytest.skip("what stands beside it may matter")
    assert plain(row["spoken"]) in spoken(f"thông báo, {row['written']}, xin hết")


@pytest.mark.parametrize("row", ROWS[::7], ids=lambda row: row["written"])
def test_it_is_spoken_so_within_a_sentence_too(row: dict[str, str]) -> None:
    if row["category"] in {"ngày", "câu", "lạ", "dấu", "điện thoại"}:
        pytest.skip("what stands before it may matter")
    assert row["spoken"] in spoken(f"xin lưu ý, {row['written']}, xin cảm ơn")


@pytest.mark.parametrize("written", [*WRITTEN, *(row["written"] for row in HOME_ROWS)])
def test_words_stay_words(written: str) -> None:
    once = vietnamese(written)

    assert spoken(once) == plain(once)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("giá 912.345.678 đồng", "chín trăm mười hai triệu"),
        ("năm 1900", "một nghìn chín trăm"),
        ("0,912 lít", "không phẩy"),
        ("lô 1.800.000 cái", "một triệu tám trăm nghìn"),
        ("từ 1900-1945", "một nghìn chín trăm đến một nghìn chín trăm bốn mươi lăm"),
        ("giai đoạn 1800 - 1850", "một nghìn tám trăm đến"),
        ("tổng 19000000 đồng", "mười chín triệu đồng"),
        ("hôm 01.02.2024 mưa", "tháng hai năm hai nghìn"),
    ],
)
def test_what_is_no_telephone_number_is_a_number(price: str, words: str) -> None:
    assert words in spoken(price)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("được 15/8 Lê Lợi Quận Ba", "mười lăm trên tám"),
        ("nhà 15/8", "nhà mười lăm trên tám"),
        ("hơn 3/4 chặng đường", "ba phần tư"),
        ("được 9/10 điểm", "chín trên mười"),
        ("trực 24/7", "hai mươi bốn trên bảy"),
        ("phương trình 6/2 = 3", "sáu trên hai bằng ba"),
    ],
)
def test_what_is_no_date_is_a_fraction_or_an_address(text: str, words: str) -> None:
    assert words in spoken(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('Anh nói "mời vào phòng 5" rồi đi', "phòng năm rồi"),
        ("Anh nói 'mời vào phòng 5' rồi đi", "phòng năm rồi"),
        ('màn hình 55" mới', "năm mươi lăm inh mới"),
        ("Mạng 5G", "năm gờ"),
        ("PIN 5000 mAh", "pin năm nghìn mi li am pe giờ"),
        ("giá 50k, 4K", "năm mươi nghìn bốn ca"),
        ("5-3=2", "năm trừ ba bằng hai"),
        ("ngày ngày đi học", "ngày ngày đi học"),
        ("đầu tư", "đầu tư"),
        ("THỨ TƯ NÀY", "thứ tư này"),
        ("người/km2 và viên/lần", "trên ki lô mét vuông và viên trên lần"),
    ],
)
def test_the_same_signs_mean_other_things_elsewhere(text: str, words: str) -> None:
    assert words in spoken(text)


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


def test_no_currency_and_no_number_is_dropped_without_a_word() -> None:
    """But those that no engine says: the sign for any currency, and some of other times."""
    signs = [chr(point) for point in range(0x20, 0x2C00)]
    counted = [s for s in signs if unicodedata.category(s) == "Sc" or s.isnumeric()]
    lost = [sign for sign in counted if spoken(f"ba {sign} xe") == "ba xe"]

    assert [sign for sign in lost if is_speakable(sign)] == []


MEANINGFUL = "‰§№☎℡↑↓♀♂±×÷=≠≤≥≈∞√π²³½¼¾°%&@€£¥₫$©"


@pytest.mark.parametrize("char", MEANINGFUL)
def test_no_character_that_means_something_is_lost(char: str) -> None:
    assert spoken(f"ba {char} năm") != "ba năm"
