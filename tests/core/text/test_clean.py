"""Characters and words, before they are sentences."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vieneu_core.text.clean import Break, Word, WordReader, is_speakable, one_line, plain

LINE = Word(Break.LINE, "")


def words(*pieces: str) -> list[Word]:
    reader = WordReader()
    found = [word for piece in pieces for word in reader.push(piece)]
    return [*found, *reader.finish()]


@pytest.mark.parametrize("sign", ["a", "ế", "7", "½", "%", "₫", "$", "°", "&", "@", "好"])
def test_what_a_voice_says_is_speakable(sign: str) -> None:
    assert is_speakable(sign)


@pytest.mark.parametrize("sign", [".", "…", '"', "-", "*", "🙂", " ", "\n", "\u0301", "("])
def test_punctuation_is_not_speakable(sign: str) -> None:
    assert not is_speakable(sign)


@pytest.mark.parametrize("letter", ["\ua722", "\uab30", "\u13a0", "\u20a0", "\u00a4", "\U00030000"])
def test_what_no_engine_says_is_not_speakable(letter: str) -> None:
    assert not is_speakable(letter)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("٢٠٢٥", "2025"),
        ("۲۰۲۵", "2025"),
        ("５", "5"),
        ("२०२५", "2025"),
        ("২০২৫", "2025"),
        ("๒๐๒๕", "2025"),
        ("\U0001d7d3", "5"),
        ("①②", "1 2"),
        ("❿", "10"),
        ("Thế kỷ Ⅷ.", "Thế kỷ 8."),
        ("ＴＶ ５０％", "TV 50%"),
        ("￥５００", "¥500"),
    ],
)
def test_digits_of_every_script_and_wide_letters_are_plain_ones(written: str, meant: str) -> None:
    assert one_line(written) == meant


@pytest.mark.parametrize("kept", ["½", "m²", "H₂O", "二〇二五", "ế", "！", "ℓ", "5"])
def test_other_characters_stay(kept: str) -> None:
    assert one_line(kept) == kept.replace("ℓ", "l")


def test_plain_text_is_composed() -> None:
    decomposed = unicodedata.normalize("NFD", "Tiếng Việt")
    assert plain(decomposed) == "Tiếng Việt"


def test_invisible_characters_are_dropped_and_spaces_made_plain() -> None:
    assert plain("\ufeffXin\u00a0chào\u200b\u202e\x00\x9f\ud800\tb\u2028c") == "Xin chào b\nc"


def test_one_line_has_single_spaces_only() -> None:
    assert one_line(" a \r\n\t b\u200b c ") == "a b c"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", "\x85", "\v"])
def test_a_line_break_ends_a_line_and_two_end_a_block(line_break: str) -> None:
    assert words(f"a{line_break}b{line_break * 2}c") == [
        Word(Break.SPACE, "a"),
        LINE,
        Word(Break.SPACE, "b"),
        LINE,
        Word(Break.BLOCK, "c"),
        LINE,
    ]


def test_a_line_break_ends_the_line_before_the_next_word_is_there() -> None:
    assert list(WordReader().push("mở.\n")) == [Word(Break.SPACE, "mở."), LINE]


def test_a_word_that_a_pause_ended_goes_on_without_a_gap() -> None:
    reader = WordReader()
    assert list(reader.push(" Giá là 3.")) == [Word(Break.SPACE, "Giá"), Word(Break.SPACE, "là")]
    assert reader.pending == " 3."
    assert list(reader.pause()) == [Word(Break.SPACE, "3.")]
    assert list(reader.push("5 đồng")) == [Word(Break.NONE, "5")]


def test_a_line_break_cut_in_two_is_one_line_break() -> None:
    assert words("a\r", "", "\nb") == [Word(Break.SPACE, "a"), LINE, Word(Break.SPACE, "b"), LINE]


@pytest.mark.parametrize("bullet", ["-", "*", "•", "\u2013", "##"])
def test_a_bullet_ends_the_line_before_it_and_is_not_a_word(bullet: str) -> None:
    assert [w for w in words(f"a\n{bullet} b") if w.text] == [
        Word(Break.SPACE, "a"),
        Word(Break.SPACE, "b"),
    ]
    assert Word(Break.BLOCK, "") in words(f"a\n{bullet} b")


@pytest.mark.parametrize("number", ["1.", "12)", "a)", "đ."])
def test_the_number_of_an_item_stays(number: str) -> None:
    assert Word(Break.BLOCK, number) in words(f"a\n{number} b")


def test_a_very_long_word_comes_in_parts() -> None:
    parts = [part for part in words("x" * 200) if part != LINE]
    assert [len(part.text) for part in parts] == [64, 64, 64, 8]
    assert {part.before for part in parts[1:]} == {Break.NONE}


def test_asterisks_of_arithmetic_become_times_signs() -> None:
    assert [w.text for w in words("**Anh** 2*3 * 4 a*b* ***") if w != LINE] == [
        "Anh",
        "2\u00d73",
        "\u00d7",
        "4",
        "ab",
    ]


def test_a_pile_of_marks_stays_small() -> None:
    reader = WordReader()
    for _ in range(2_000):
        assert not list(reader.push("\u0301"))
    word, end = reader.finish()
    assert end == LINE
    assert len(word.text) <= 64


@given(
    st.lists(st.text(alphabet="aế\u0301\u0323 \r\n.*-1\u200b\uff21\u1100\u1161\u11a8", max_size=9))
)
def test_words_do_not_depend_on_how_the_text_was_cut(pieces: list[str]) -> None:
    assert words(*pieces) == words("".join(pieces)) == words(*"".join(pieces))
