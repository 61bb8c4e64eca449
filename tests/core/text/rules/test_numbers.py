"""What looks like a telephone number or a date, and is another number."""

from __future__ import annotations

import pytest
from prepared_text import said_words


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
    assert words in said_words(price)


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
    assert words in said_words(text)
