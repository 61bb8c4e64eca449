from __future__ import annotations

import unicodedata

import pytest
from error_rates import Edits, character_error_rate, distance, edits, plain, word_error_rate
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(alphabet="abđ ", max_size=12)


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("Cửa trước đang MỞ, xin hãy\nkiểm tra!", "cửa trước đang mở xin hãy kiểm tra"),
        (unicodedata.normalize("NFD", "Nhiệt độ: 25°"), "nhiệt độ 25"),
        ("hoà khoẻ thuý", "hòa khỏe thúy"),
        ("toàn quý khoảng tuỳ", "toàn quý khoảng tùy"),
        ("Wi-Fi (tầng 2)", "wi fi tầng 2"),
        (" … ", ""),
    ],
)
def test_texts_are_compared_in_one_form(text: str, compared: str) -> None:
    assert plain(text) == compared


@pytest.mark.parametrize(
    ("a", "b", "n_edits"),
    [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)],
)
def test_a_distance_counts_edits(a: str, b: str, n_edits: int) -> None:
    assert distance(a, b) == n_edits


@given(WORDS, WORDS, WORDS)
def test_a_distance_is_one(a: str, b: str, c: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, c) <= distance(a, b) + distance(b, c)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))


def test_a_sentence_is_scored_in_characters_and_in_words() -> None:
    assert edits(["Đóng cửa lại."], "đóng của") == Edits(
        characters=5, n_characters=12, words=2, n_words=3
    )


def test_the_nearest_accepted_reading_counts() -> None:
    readings = ["Sáu giờ ba mươi phút.", "Sáu giờ ba mươi."]

    assert edits(readings, "sáu giờ ba mươi").characters == 0
    assert edits(readings, "sáu giờ ba mươi phút").words == 0
    assert edits(readings, "").n_words in {4, 5}


@pytest.mark.parametrize("readings", [[], ["…"], ["một", ""]])
def test_a_sentence_without_a_reading_is_refused(readings: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one word"):
        edits(readings, "một")


def test_long_sentences_count_more() -> None:
    found = [edits(["một"], "hai"), edits(["một hai ba bốn năm sáu bảy"], "một hai ba bốn năm")]

    assert word_error_rate(found).value == pytest.approx((1 + 2) / 8)
    assert character_error_rate(found).value == pytest.approx((3 + 8) / (3 + 26))


def test_an_interval_covers_the_rate_and_shrinks_with_the_sentences() -> None:
    some = [Edits(i % 5, 10, i % 2, 2) for i in range(10)]
    few, many = character_error_rate(some), character_error_rate(some * 20)

    assert few.low < few.value < few.high
    assert few.value == pytest.approx(many.value) == pytest.approx(0.2)
    # The deviation of a mean of n independent sentences falls with the root of n.
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(20**-0.5, rel=0.2)
    assert character_error_rate(some) == few


def test_sentences_that_are_all_alike_leave_no_doubt() -> None:
    rate = word_error_rate([Edits(4, 10, 1, 4)] * 3)

    assert (rate.low, rate.value, rate.high) == pytest.approx((0.25, 0.25, 0.25))
    assert str(rate) == "0.25 (0.25 to 0.25)"
