"""Sentences: the right ones, none lost, and the same however the text came."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vieneu_core.errors import EmptyTextError, InvalidRequestError
from vieneu_core.text.clean import has_speech, is_speakable, plain
from vieneu_core.text.sentence_splitter import (
    MAX_SENTENCE_CHARS,
    Sentence,
    SentenceSplitter,
    sentences,
    split_sentences,
)


def spoken(text: str) -> str:
    return "".join(filter(is_speakable, plain(text)))


def in_pieces(pieces: list[str]) -> tuple[str, ...]:
    splitter = SentenceSplitter()
    found = [sentence for piece in pieces for sentence in splitter.push(piece)]
    return tuple(sentence.text for sentence in (*found, *splitter.finish()))


async def pieces_of(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


VIETNAMESE = (
    "Xin chào TP. Hồ Chí Minh. Hôm nay 25,5 độ. Lúc 7:30 sẽ mưa! Bụi PM2.5 đang cao... "
    'Ông nói: "Đi thôi." Rồi ông đi… Giá là 3.500.000 đồng. Quận Q.1 rất đông?! '
    "GS. Nguyễn Văn A. và TS. Bình đến."
)


def test_vietnamese_sentences() -> None:
    assert split_sentences(VIETNAMESE) == (
        "Xin chào TP. Hồ Chí Minh.",
        "Hôm nay 25,5 độ.",
        "Lúc 7:30 sẽ mưa!",
        "Bụi PM2.5 đang cao...",
        'Ông nói: "Đi thôi."',
        "Rồi ông đi…",
        "Giá là 3.500.000 đồng.",
        "Quận Q.1 rất đông?!",
        "GS. Nguyễn Văn A. và TS. Bình đến.",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cần mua:\n- Sữa\n- Bánh", ("Cần mua:", "Sữa", "Bánh")),
        ("1. Sữa\n2. Bánh", ("1. Sữa", "2. Bánh")),
        ("a) Sữa\nb) Bánh", ("a) Sữa", "b) Bánh")),
        ("Tiêu đề\n\nNội dung", ("Tiêu đề", "Nội dung")),
        ("dòng một\ndòng hai", ("dòng một", "dòng hai")),
        ("dòng một,\r\n dòng hai", ("dòng một,", "dòng hai")),
        ("1.\nSữa\n2.\r\nBánh", ("1. Sữa", "2. Bánh")),
        ("1.\n\nSữa", ("1.", "Sữa")),
        ("1.\n2.\nSữa", ("1.", "2. Sữa")),
        ("| Phòng | Độ |\n|---|:-:|\n| Bếp | 25 |", ("Phòng, Độ", "Bếp, 25")),
        ("Cửa đang mở. ٢٠٢٥. Nhớ khóa.", ("Cửa đang mở.", "2025.", "Nhớ khóa.")),
        ("Cháy ở bếp.\n\n５\n\nRa ngoài.", ("Cháy ở bếp.", "5", "Ra ngoài.")),
        ("Xong rồi. 1. Sữa nhé", ("Xong rồi.", "1. Sữa nhé")),
        ("đi chợ. mua rau. về nhà.", ("đi chợ. mua rau. về nhà.",)),
        ("Anh **rất** vui. Là 2*3*4", ("Anh rất vui.", "Là 2\u00d73\u00d74")),
        ("**Chú ý rồi.** Đi đi", ("Chú ý rồi.", "Đi đi")),
        ("Xin chào... !!! Tạm biệt nhé", ("Xin chào... !!!", "Tạm biệt nhé")),
        ("你好。我很好。", ("你好。", "我很好。")),
        ("Số 1.", ("Số 1.",)),
        ("1.", ("1.",)),
        ("50%", ("50%",)),
        ("...\n\nAnh ơi\n\n---\n\n🙂", ("Anh ơi",)),
    ],
)
def test_where_sentences_end(text: str, expected: tuple[str, ...]) -> None:
    assert split_sentences(text) == expected
    assert in_pieces(list(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \t\r\n\u00a0", "only white space"),
        ("\x00 \x1b\u200b\ufeff\ud800", "only control characters"),
        ("…?! -- 🙂", "no letter or digit"),
    ],
)
async def test_text_without_speech_says_what_it_is(text: str, reason: str) -> None:
    with pytest.raises(EmptyTextError, match=reason):
        split_sentences(text)
    with pytest.raises(EmptyTextError, match=reason):
        await anext(sentences((text,)))
    with pytest.raises(EmptyTextError, match=reason):
        await anext(sentences(pieces_of(*text)))


async def test_no_sentences_and_no_pieces_are_empty() -> None:
    for nothing in ((), pieces_of()):
        with pytest.raises(EmptyTextError, match="is empty"):
            await anext(sentences(nothing))


def test_a_long_sentence_is_split_at_the_last_comma_before_the_limit() -> None:
    clause = "gió mùa đông bắc đã về, nhiệt độ 25,5 độ "
    found = split_sentences(clause * 30)
    assert all(len(sentence) <= MAX_SENTENCE_CHARS for sentence in found)
    assert all(sentence.endswith("về,") for sentence in found[:-1])
    assert all(len(sentence) > MAX_SENTENCE_CHARS / 2 for sentence in found[:-1])
    assert spoken("".join(found)) == spoken(clause * 30)


def test_the_number_of_a_long_item_stays_before_it() -> None:
    found = split_sentences("1. " + "a" * 299 + " b")
    assert found == ("1.", "a" * 299, "b")
    found = split_sentences("1. Sữa " + "và bánh " * 80)
    assert found[0].startswith("1. Sữa và bánh")
    assert all(len(sentence) <= MAX_SENTENCE_CHARS for sentence in found)


@pytest.mark.parametrize("mark", [",", ";", ":", " -", " \u2013", "\u2014", "\uff0c"])
def test_every_mark_within_a_sentence_is_a_place_to_split(mark: str) -> None:
    head = "a" * 200
    found = split_sentences(f"{head}{mark} {'b ' * 100}")
    assert found[0] == f"{head}{mark}"


@pytest.mark.parametrize("text", ["xin chào " * 1_200, "x" * 10_000, "ế\u0323" * 5_000])
def test_ten_thousand_characters_without_a_stop(text: str) -> None:
    found = split_sentences(text)
    assert all(len(sentence) <= MAX_SENTENCE_CHARS for sentence in found)
    assert spoken("".join(found)) == spoken(text)
    if " " in text:
        assert set(" ".join(found).split()) == {"xin", "chào"}


def test_a_letter_is_never_parted_from_its_marks() -> None:
    letter = "q\u0323\u0303"  # has no composed form
    found = split_sentences(letter * 500)
    assert all(unicodedata.combining(sentence[0]) == 0 for sentence in found)
    assert all(sentence == letter * (len(sentence) // 3) for sentence in found)


def test_one_letter_with_marks_without_end_is_still_cut() -> None:
    found = split_sentences("a" + "\u0e31" * 1_000)
    assert all(len(sentence) <= MAX_SENTENCE_CHARS for sentence in found)


async def test_a_sentence_is_known_before_the_next_piece_is_asked_for() -> None:
    asked = []

    async def typing() -> AsyncIterator[str]:
        for piece in ("Xin ", "chào bạn. H", "ôm nay ", "trời đẹp."):
            asked.append(piece)
            yield piece

    found = sentences(typing())
    assert await anext(found) == "Xin chào bạn."
    assert len(asked) == 3
    assert [sentence async for sentence in found] == ["Hôm nay trời đẹp."]


async def test_a_stream_without_stops_is_spoken_before_its_end() -> None:
    async def endless() -> AsyncIterator[str]:
        while True:
            yield "la"

    found = sentences(endless())
    assert len(await anext(found)) == MAX_SENTENCE_CHARS
    assert len(await anext(found)) == MAX_SENTENCE_CHARS
    await found.aclose()


async def test_given_sentences_are_cleaned_but_not_split() -> None:
    given_ones = (" Một.\u200b Hai. ", "...", "3*4")
    assert [s async for s in sentences(given_ones)] == ["Một. Hai.", "3*4"]


async def test_a_source_is_closed_when_its_reader_stops_early() -> None:
    closed = []

    async def typing() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "Xin chào bạn. "
        finally:
            closed.append(True)

    found = sentences(typing())
    await anext(found)
    await found.aclose()
    assert closed == [True]


TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from('aAếĐ1 ..,;:!?…\n-*"”()。$%\u0323\u200b\r'),
        st.characters(exclude_characters="\\"),  # which makes a line break of an r
    ),
    max_size=400,
).filter(  # constants of the sources, which hypothesis tries: the rest after them is not said
    lambda text: not any(start in text for start in ("<![CDATA[", "[THINK]"))
)


@given(TEXTS, st.data())
def test_nothing_speakable_is_lost_however_the_text_was_cut(text: str, data: st.DataObject) -> None:
    if not has_speech(plain(text)):
        with pytest.raises(EmptyTextError):
            split_sentences(text)
        return
    whole = split_sentences(text)
    assert spoken("".join(whole)) == spoken(text)
    assert all(has_speech(s) and len(s) <= MAX_SENTENCE_CHARS for s in whole)
    assert all(s == " ".join(s.split()) for s in whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert in_pieces(pieces) == whole
    assert in_pieces(list(text)) == whole


@given(TEXTS, st.data())
def test_nothing_speakable_is_lost_wherever_the_writer_pauses(
    text: str, data: st.DataObject
) -> None:
    splitter = SentenceSplitter()
    found: list[Sentence] = []
    for piece in [text[at : at + 3] for at in range(0, len(text), 3)]:
        found += splitter.push(piece)
        if splitter.pause_s is not None and data.draw(st.booleans()):
            found += splitter.pause()
            assert splitter.pause_s is None
    found += splitter.leftover()
    assert spoken("".join(sentence.text for sentence in found)) == spoken(text)


@given(TEXTS)
def test_sentences_given_back_stay_as_they_are(text: str) -> None:
    if has_speech(plain(text)):
        for sentence in split_sentences(text):
            assert plain(sentence) == sentence


async def test_a_source_that_was_cancelled_is_an_error_and_cancels_nobody_else() -> None:
    async def source() -> AsyncIterator[str]:
        yield "Câu một. "
        upstream = asyncio.create_task(asyncio.sleep(3600))
        upstream.cancel()
        await upstream
        yield "Câu hai."

    said: list[str] = []

    async def read() -> None:
        async for sentence in sentences(source()):
            said.append(sentence)  # noqa: PERF401 - what came before the error

    with pytest.raises(InvalidRequestError, match="source was cancelled"):
        await read()
    assert said == ["Câu một."]
