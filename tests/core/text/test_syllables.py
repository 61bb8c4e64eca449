"""The table of syllables, by real words, and where a tone is written."""

from __future__ import annotations

import unicodedata

import pytest

from vieneu_core.text.syllables import (
    ONSETS,
    RIMES,
    SHARP,
    is_readable,
    is_syllable,
    parts_of,
    sharpened,
    with_tone,
)

WORDS = """
    nghiêng khuỷu thuở quýt gì giếng hoà hòa Đặng thuỷ quyển giặt ngoằn khuya yêu
    xoong boong goòng toòng moóc soóc
    ngoém nhoẹp xềng
    quên quạu quều quệt quẹn quịt quí quỉ quít quới quởn quấc quắp quặm quýu quỵp quốc
    giấu giếm giền giễu giết
    Kạn Kà Kon Kơ kỳ kem
"""
OTHERS = """
    Cöûa tröôùc ndòng hoác̣ café cê ew cửả smart ngx ceng ngê bàc q w ghà nga̧
    cỹ cyên gý ngỷ
    quôn quong quưa quyêu quya quiên
    khuấc giiên giy
"""
WITHOUT_TONE = ["quyt", "net", "moc", "ich", "xooc", "quit"]


@pytest.mark.parametrize("word", WORDS.split())
def test_words_of_the_language_are_syllables(word: str) -> None:
    assert is_syllable(word)
    assert is_syllable(unicodedata.normalize("NFD", word))
    assert is_readable(word.lower())


@pytest.mark.parametrize("word", [*OTHERS.split(), ""])
def test_other_words_are_none(word: str) -> None:
    assert not is_syllable(word)
    assert not is_readable(word.lower())


@pytest.mark.parametrize("word", WITHOUT_TONE)
def test_a_stop_without_its_tone_is_readable_but_misspelled(word: str) -> None:
    assert not is_syllable(word)
    assert is_readable(word)
    assert is_syllable(sharpened(word))


@pytest.mark.parametrize(
    ("letters", "written"),
    [
        ("xoong", "xoóng"),
        ("hoa", "hoá"),
        ("quy", "quý"),
        ("qua", "quá"),
        ("quên", "quến"),
        ("gi", "gí"),
        ("giêng", "giếng"),
        ("khuya", "khuýa"),
        ("mua", "múa"),
        ("nghiêng", "nghiếng"),
    ],
)
def test_a_tone_is_written_on_its_vowel(letters: str, written: str) -> None:
    assert with_tone(letters, SHARP) == written
    assert parts_of(written) == (letters, SHARP)


def test_each_rime_is_one_of_a_syllable() -> None:
    alone = {rime for onset in ONSETS for rime in RIMES if is_readable(onset + rime)}

    assert alone == RIMES
