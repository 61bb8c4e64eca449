"""The user's dictionary: what a line may be, and what it replaces."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vieneu_core.text.clean import has_speech
from vieneu_core.text.reading import Reader, Reading
from vieneu_core.text.sentence_splitter import MAX_SENTENCE_CHARS
from vieneu_core.text.user_dictionary import (
    MAX_LINES,
    MAX_SPOKEN_CHARS,
    MAX_WRITTEN_CHARS,
    Entry,
    UserDictionary,
    with_entry,
    without_entry,
)

ENTRIES = UserDictionary.parse(
    """# Nhà mình
Aqara = a ca ra
An = bé An
phòng khách = phòng khách lớn   # tầng một
Phòng  khách nhỏ = phòng trà
AI = trí tuệ nhân tạo
C++ = xê cộng cộng
Hòa = cô Hòa
bếp từ = bếp
"""
)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Cảm biến Aqara hết pin.", "Cảm biến a ca ra hết pin."),
        ("aqara, AQARA; Aqara!", "a ca ra, a ca ra; a ca ra!"),
        ("Ban đêm bàn ăn lan can.", "Ban đêm bàn ăn lan can."),  # no whole word "an"
        ("Đèn PHÒNG KHÁCH sáng.", "Đèn phòng khách lớn sáng."),
        ("Đèn phòng khách nhỏ sáng.", "Đèn phòng trà sáng."),  # the longest entry
        ("phòng khách phòng khách nhỏ", "phòng khách lớn phòng trà"),
        ("Ai đấy? AI đây.", "Ai đấy? trí tuệ nhân tạo đây."),
        ("Học C++ và C.", "Học xê cộng cộng và C."),
        ("Hoà và HÒA và hòa bình.", "cô Hòa và cô Hòa và cô Hòa bình."),
        ("Hoàn thành.", "Hoàn thành."),
        ("phòng_khách", "phòng_khách"),
        ("“Aqara”-mini", "“a ca ra”-mini"),
        ("bếp từ bếp", "bếp bếp"),  # what was put in is not searched again
        ("Không có gì.", "Không có gì."),
    ],
)
def test_whole_words_are_replaced_the_longest_first(sentence: str, expected: str) -> None:
    assert ENTRIES.applied(sentence) == expected
    assert ENTRIES.applied(unicodedata.normalize("NFD", sentence)) == expected


def test_an_entry_may_be_written_in_decomposed_letters() -> None:
    decomposed = UserDictionary.parse(unicodedata.normalize("NFD", "Bưởi = chị Bưởi"))
    assert decomposed.entries == (Entry(1, "Bưởi", "chị Bưởi"),)
    assert decomposed.applied("Bưởi về rồi") == "chị Bưởi về rồi"


def test_capitals_and_small_letters_may_have_an_entry_each() -> None:
    both = UserDictionary.parse("IT = ai ti\nit = ít\n")
    assert not both.bad_lines
    assert both.applied("it IT It") == "ít ai ti ít"


def test_the_first_of_overlapping_entries_wins() -> None:
    overlapping = UserDictionary.parse("a b = một\nb c = hai\n")
    assert overlapping.applied("a b c") == "một c"
    assert overlapping.applied("b c a b") == "hai một"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Aqara", "no ="),
        ("= a ca ra", "Before the ="),
        ("... = ba chấm", "Before the ="),
        ("Aqara =", "After the ="),
        ("Aqara = # ghi chú", "After the ="),
        ("Aqara = ...", "After the ="),
        ("x" * (MAX_WRITTEN_CHARS + 1) + " = y", f"more than {MAX_WRITTEN_CHARS}"),
        ("x = " + "y" * (MAX_SPOKEN_CHARS + 1), f"more than {MAX_SPOKEN_CHARS}"),
        ("x = " + "y " * 1000, "more than 1000"),
        ("LED = lét", "LED is in line 1 already"),
    ],
)
def test_a_bad_line_is_named_and_skipped(line: str, reason: str) -> None:
    parsed = UserDictionary.parse(f"LED = đèn led\n{line}\nwifi = oai phai\n")
    assert [bad.line for bad in parsed.bad_lines] == [2]
    assert reason in parsed.bad_lines[0].reason
    assert parsed.applied("LED wifi") == "đèn led oai phai"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_comments_blank_lines_and_any_line_end_are_no_errors(end: str) -> None:
    content = end.join(["\ufeff# Nhà", "", "  ", "wifi = oai phai # mạng", "C# = xi sáp", ""])
    parsed = UserDictionary.parse(content)
    assert parsed.entries == (Entry(4, "wifi", "oai phai"), Entry(5, "C#", "xi sáp"))
    assert not parsed.bad_lines


def test_too_many_lines_are_said_and_the_rest_is_skipped() -> None:
    parsed = UserDictionary.parse("".join(f"từ{n} = số {n}\n" for n in range(MAX_LINES + 10)))
    assert len(parsed.entries) == MAX_LINES
    assert [bad.line for bad in parsed.bad_lines] == [MAX_LINES + 1]


def test_equal_content_is_equal_and_other_content_is_not() -> None:
    assert UserDictionary.parse("a = b") == UserDictionary.parse("a  =  b")
    assert UserDictionary.parse("a = b") != UserDictionary.parse("a = c")


def test_a_sentence_that_grows_too_long_is_cut_and_nothing_is_lost() -> None:
    entry = UserDictionary.parse(f"a = {'dài ' * 40}")
    reader = Reader(Reading(dictionary=entry), speed=1.0)
    texts = [text for text, _ in reader.whole("a a a a a a.")]
    assert len(texts) > 1
    assert all(len(text) <= MAX_SENTENCE_CHARS for text in texts)
    assert " ".join(texts).count("dài") == 6 * 40


def test_an_entry_is_put_in_the_place_of_the_old_one_and_taken_out() -> None:
    content = "# Nhà\nAqara = a ca\n\nwifi = oai phai\n"
    added = with_entry(content, "Tuya", "tu da")
    assert added == "# Nhà\nAqara = a ca\n\nwifi = oai phai\nTuya = tu da\n"
    assert with_entry("", "Tuya", "tu da") == "Tuya = tu da\n"
    assert with_entry(content, "Aqara", "a ca ra") == content.replace("a ca", "a ca ra")
    assert without_entry(content, "aqara") == "# Nhà\n\nwifi = oai phai\n"
    assert without_entry(content, "Tuya") is None


@given(st.text(max_size=400))
def test_any_content_is_read_and_each_line_is_used_or_named(content: str) -> None:
    parsed = UserDictionary.parse(content)
    lines = [entry.line for entry in parsed.entries] + [bad.line for bad in parsed.bad_lines]
    assert len(lines) == len(set(lines))
    assert all(has_speech(entry.spoken) for entry in parsed.entries)
    for entry in parsed.entries:
        assert entry.written
        assert parsed.applied(entry.written) == entry.spoken


WORDS = st.sampled_from(["an", "Bàn", "hoà", "nhà", "AI", "x1", "ĐÈN"])


@given(st.lists(WORDS, max_size=12), st.dictionaries(WORDS, st.just("nói"), max_size=4))
def test_words_without_an_entry_stay_as_they_are(words: list[str], entries: dict[str, str]) -> None:
    content = "\n".join(f"{written} = {spoken}" for written, spoken in entries.items())
    applied = UserDictionary.parse(content).applied(" ".join(words)).split(" ")
    assert applied == ([entries.get(word, word) for word in words] or [""])
