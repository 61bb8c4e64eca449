"""Pauses between sentences: by end mark, line, item and paragraph, alike however text comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vieneu_core.audio.pauses import MAX_PAUSE_S, NATURAL_PAUSES, NO_PAUSES, Pauses
from vieneu_core.errors import ConfigurationError
from vieneu_core.text.clean import Break
from vieneu_core.text.reading import Reader, Reading
from vieneu_core.text.sentence_splitter import (
    MAX_SENTENCE_CHARS,
    Sentence,
    SentenceSplitter,
    placed_sentences,
)
from vieneu_core.text.speech_pauses import pause_between

CLAUSE, SENTENCE, QUESTION, PARAGRAPH = 0.3, 0.5, 0.6, 0.7


def pauses_of(text: str | tuple[str, ...], *, speed: float = 1.0) -> list[float]:
    """The natural pauses between the sentences of a text, in seconds."""
    reader = Reader(Reading(pauses=NATURAL_PAUSES), speed=speed)
    first, *others = [pause_s for _, pause_s in reader.whole(text)]
    assert first == 0
    return others


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cửa đang mở. Hãy đóng lại.", [SENTENCE]),
        ("Ai đấy? Mời vào! Chào bạn…", [QUESTION, QUESTION]),
        ("Thật à?! Vâng.", [QUESTION]),
        ("Ai đấy？ Mời vào！ Chào。 Hết.", [QUESTION, QUESTION, SENTENCE]),
        ("Anh hỏi: “Ai đấy?” Không ai đáp.", [QUESTION]),
        ("(Có người gõ cửa.) Mời vào.", [SENTENCE]),
        ("Khoan đã… Tôi nghe thấy gì đó.", [SENTENCE]),
        ("Xin chào 👋! Tôi đây.", [QUESTION]),
        ("Dòng một\nDòng hai", [SENTENCE]),
        ("Ai đấy?\nTôi đây.", [QUESTION]),
        ("Đoạn một.\n\nĐoạn hai.", [PARAGRAPH]),
        ("Đoạn một\r\n\r\nĐoạn hai", [PARAGRAPH]),
        ("Hôm nay gồm:\n- Bật đèn\n- Tắt quạt", [PARAGRAPH, PARAGRAPH]),
        ("Hôm nay gồm:\n1. Bật đèn\n2. Tắt quạt", [PARAGRAPH, PARAGRAPH]),
        ("# Thời tiết\nTrời nắng. Gió nhẹ.", [PARAGRAPH, SENTENCE]),
        ("Hết.\n## Tin khác\nTrời mưa.", [PARAGRAPH, PARAGRAPH]),
        ("Hết.\n\n***\n\nTin khác.", [PARAGRAPH]),
        ("Hết.\n---\nTin khác.", [SENTENCE]),
        (("Một.", "Hai?", "Ba"), [SENTENCE, QUESTION]),
    ],
)
def test_the_pause_follows_from_the_end_mark_and_the_break(
    text: str | tuple[str, ...], expected: list[float]
) -> None:
    assert pauses_of(text) == expected


def test_a_long_sentence_that_was_cut_at_a_comma_pauses_as_at_a_comma() -> None:
    text = "bật đèn phòng khách rồi tắt quạt, " * (MAX_SENTENCE_CHARS // 20) + "hết. Xong."
    found = pauses_of(text)
    assert len(found) >= 2
    assert found == [*[CLAUSE] * (len(found) - 1), SENTENCE]


def test_who_speaks_faster_pauses_for_less() -> None:
    text = "Ai đấy? Tôi đây.\n\nMời vào."
    assert pauses_of(text, speed=2.0) == [QUESTION / 2, PARAGRAPH / 2]
    assert pauses_of(text, speed=0.5) == [QUESTION * 2, PARAGRAPH * 2]


def test_a_paragraph_is_never_shorter_than_the_pause_of_its_mark() -> None:
    pauses = Pauses(sentence_s=0.2, question_s=0.9, paragraph_s=0.4)
    assert pause_between("Ai đấy?", Break.BLOCK, pauses) == 0.9
    assert pause_between("Tôi đây.", Break.BLOCK, pauses) == 0.4
    assert pause_between("Tôi đây", Break.LINE, pauses) == 0.2
    assert pause_between("Tôi đây", Break.SPACE, pauses) == 0.0


def test_without_pauses_there_are_none() -> None:
    reader = Reader(Reading(pauses=NO_PAUSES), speed=1.0)
    assert [pause_s for _, pause_s in reader.whole("Một câu. Hai câu?\n\nBa.")] == [0, 0, 0]


@pytest.mark.parametrize("value", [-0.1, MAX_PAUSE_S + 0.1, float("nan"), "long", True])
def test_a_pause_out_of_bounds_is_refused_by_name(value: object) -> None:
    with pytest.raises(ConfigurationError, match="question_s"):
        Pauses(question_s=value)  # type: ignore[arg-type]


@given(st.text(st.sampled_from("ab 1.?!\n\r-#*,…"), max_size=80), st.data())
def test_breaks_do_not_depend_on_how_the_text_is_split(text: str, data: st.DataObject) -> None:
    text += "a"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    splitter = SentenceSplitter()
    found: list[Sentence] = []
    for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found += splitter.push(text[begin:end])
    assert (*found, *splitter.finish()) == placed_sentences(text)
