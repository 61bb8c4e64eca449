"""Messages of the cells in both languages."""

from __future__ import annotations

from string import Formatter

from vieneu_colab_server.colab.words import WORDS, Words


def test_every_text_takes_the_same_values_in_both_languages() -> None:
    for key, texts in WORDS.items():
        names = [{name for _, name, _, _ in Formatter().parse(t) if name} for t in texts]
        assert names[0] == names[1], key
        assert texts[0] != texts[1] or key in {"gpu_memory", "fetched"}, key


def test_numbers_and_times_are_written_as_each_language_does() -> None:
    assert Words("vi").number(12345.678, 1) == "12.345,7"
    assert Words("en").number(12345.678, 1) == "12,345.7"
    assert Words("vi").duration(3 * 3600 + 65) == "3 giờ 01 phút"
    assert Words("EN").duration(59) == "0 h 00 min"
    assert Words("fr").language == "vi"
