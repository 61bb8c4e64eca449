"""Signs and letters that mean another thing elsewhere."""

from __future__ import annotations

import unicodedata

import pytest
from prepared_text import said_words

from vieneu_core.text.clean import is_speakable


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
    assert words in said_words(text)


def test_no_currency_and_no_number_is_dropped_without_a_word() -> None:
    """But those that no engine says: the sign for any currency, and some of other times."""
    signs = [chr(point) for point in range(0x20, 0x2C00)]
    counted = [s for s in signs if unicodedata.category(s) == "Sc" or s.isnumeric()]
    lost = [sign for sign in counted if said_words(f"ba {sign} xe") == "ba xe"]

    assert [sign for sign in lost if is_speakable(sign)] == []


MEANINGFUL = "‰§№☎℡↑↓♀♂±×÷=≠≤≥≈∞√π²³½¼¾°%&@€£¥₫$©"


@pytest.mark.parametrize("char", MEANINGFUL)
def test_no_character_that_means_something_is_lost(char: str) -> None:
    assert said_words(f"ba {char} năm") != "ba năm"
