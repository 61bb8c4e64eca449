"""The table of foreign words."""

from __future__ import annotations

from vieneu_core.text.rules.foreign_words import PHRASES, WORDS
from vieneu_core.text.syllables import is_readable


def test_the_table_has_syllables_only() -> None:
    said = " ".join((*PHRASES.values(), *WORDS.values())).split()

    assert [each for each in said if not is_readable(each)] == []
