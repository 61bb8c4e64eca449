"""What language models, feeds and templates write, as the sentences that are spoken.

`written_and_cleaned.json` has pairs of a written text and its sentences, by kind of markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vieneu_core.errors import NothingToSayError
from vieneu_core.text.markup import Markup
from vieneu_core.text.markup.rule import MAX_WINDOW
from vieneu_core.text.sentence_splitter import Sentence, SentenceSplitter, split_sentences

PAIRS = json.loads(Path(__file__).with_name("written_and_cleaned.json").read_text("utf-8"))
ORPHAN = "</think>"
FRAGMENTS = [
    *(written for written, _ in PAIRS if ORPHAN not in written),
    *("<", "&", "[", "]", "(", ")", "`", "```", "$", "\\", "\\n", "|", "*", "_", "!", "~", "="),
    *("<b", "&lt;", "&amp;", "](", "x", " ", "\n", "đèn", "5", ".", "\u0301", "<think>", "</b>"),
    *("【", "◁", "![", "\\(", "\\)", "{", "}", '"', "data:", "<!--", "-->", "]]>", "<![CDATA["),
]


def in_pieces(pieces: list[str]) -> list[str]:
    splitter = SentenceSplitter()
    found = [sentence for piece in pieces for sentence in splitter.push(piece)]
    return texts([*found, *splitter.leftover()])


def texts(found: Iterable[Sentence]) -> list[str]:
    return [sentence.text for sentence in found]


def cleaned(*pieces: str) -> str:
    markup = Markup()
    return "".join(map(markup.push, pieces)) + markup.finish()


@pytest.mark.parametrize(("written", "sentences"), PAIRS)
def test_markup_is_not_spoken_and_words_are(written: str, sentences: list[str]) -> None:
    assert list(split_sentences(written)) == sentences
    if ORPHAN not in written:
        assert in_pieces(list(written)) == sentences


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=6), st.data())
def test_the_sentences_do_not_depend_on_the_pieces(parts: list[str], data: st.DataObject) -> None:
    text = "".join(part[: data.draw(st.integers(1, 30))] for part in parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pieces = [text[begin:end] for begin, end in pairwise([0, *cuts, len(text)])]
    assert in_pieces(pieces) == in_pieces([text])
    assert in_pieces(list(text)) == in_pieces([text])


WORDS = ["nhiệt", "độ", "ngưỡng", "đèn", "cửa", "Bếp", "60", "30", "mở"]
SIGNS = ["<", ">", "&", "[", "]", "(", ")", "|", "*", "~", "!", "$", "`", "=", ":", "-", "\\", " "]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SIGNS)), min_size=1))
def test_no_word_is_lost_among_signs_that_are_no_markup(parts: list[tuple[str, str]]) -> None:
    text = "".join(f"{word}{sign}" for word, sign in parts)
    assume(not re.search(r"\[\d+(-\d+)*\]", text))  # citations, as in an encyclopedia
    spoken = "".join(in_pieces(list(text)))
    for word in WORDS:
        assert spoken.count(word) == text.count(word)


@pytest.mark.parametrize(
    "piece", ["Xin chào. ", "Nhiệt độ là 25,5 độ", "a > b", "**Chú ý** ", "- Sữa\n", "(xem)"]
)
def test_text_that_is_no_markup_passes_at_once(piece: str) -> None:
    markup = Markup()
    assert markup.push(piece) == piece
    assert markup.pending == ""


@pytest.mark.parametrize("name", ["think", "thinking", "reasoning", "THINK", "thought"])
def test_nothing_of_reasoning_is_spoken_while_it_is_written(name: str) -> None:
    splitter = SentenceSplitter()
    before = [s for c in f"<{name}>Người dùng hỏi. Tra cứu." for s in splitter.push(c)]
    assert [*before, *splitter.pause()] == []
    after = [s for c in f"\nXong.</{name}>\n\nĐã bật đèn. Còn " for s in splitter.push(c)]
    assert texts(after) == ["Đã bật đèn."]
    assert texts(splitter.leftover()) == ["Còn"]


def test_reasoning_without_its_opening_tag_is_dropped_as_far_as_it_is_not_spoken() -> None:
    reasoning, answer = "Người dùng hỏi giờ. Tra cứu", ".</think>Năm giờ."
    assert split_sentences(reasoning + answer) == ("Năm giờ.",)
    assert in_pieces([reasoning, answer]) == ["Người dùng hỏi giờ.", "Tra cứu", "Năm giờ."]


@pytest.mark.parametrize(
    "text",
    [
        "Xong. [Xem " + "x" * 50_000,
        'Xong. <a title="' + "x y" * 20_000,
        'Xong. <img src="data:image/png;base64,' + "A" * 100_000,
        "Xong. ![ảnh](data:image/png;base64," + "A" * 100_000,
        "Xong. $" + "x" * 50_000,
        "Xong. <think>" + "nghĩ " * 20_000,
        "Xong. ```python\n" + "x = 1\n" * 20_000,
        "Xong. \\(" + "x" * 50_000,
        "Xong. &" + "x" * 50_000,
    ],
)
def test_what_is_held_is_bounded(text: str) -> None:
    markup = Markup()
    for begin in range(0, len(text), 100):
        markup.push(text[begin : begin + 100])
        assert len(markup._held) <= MAX_WINDOW


def test_pictures_in_the_text_are_left_out_with_all_their_kilobytes() -> None:
    data = "data:image/png;base64," + "iVBORw0KGgo" * 10_000
    assert cleaned(f'A <img src="{data}" alt="Sơ đồ"> B') == "A  Sơ đồ  B"
    assert cleaned(f"A ![Sơ đồ]({data}) B") == "A Sơ đồ B"


@pytest.mark.parametrize(
    ("held", "rest", "sentences"),
    [
        ("Xin chào!", " Tạm biệt", ["Xin chào!", "Tạm biệt"]),
        ("[Ghi chú: xong rồi.", " Hết]", ["[Ghi chú: xong rồi.", "Hết]"]),
        ("Giá là $5.", " Rẻ", ["Giá là $5.", "Rẻ"]),
        ("Xong rồi. <b", ">Hết</b>", ["Xong rồi.", "Hết"]),
    ],
)
def test_a_sentence_before_a_pause_is_spoken_though_markup_may_follow(
    held: str, rest: str, sentences: list[str]
) -> None:
    splitter = SentenceSplitter()
    found = list(splitter.push(held))
    assert splitter.pause_s is not None
    found += splitter.pause()
    assert texts(found) == sentences[:1]
    assert texts([*splitter.push(rest), *splitter.leftover()]) == sentences[1:]


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "<br/>",
        "***",
        "---",
        "🎉🎉 🎉",
        "<p></p>",
        "&nbsp;…",
        "![](a.png)",
        "```yaml\na: 1\n```",
    ],
)
def test_signs_and_markup_alone_are_nothing_to_say(text: str) -> None:
    with pytest.raises(NothingToSayError):
        split_sentences(text)
    assert in_pieces(list(text)) == []
