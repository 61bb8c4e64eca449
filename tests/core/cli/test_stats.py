"""How the command counts, and what it makes of the counts."""

from __future__ import annotations

import pytest

from vieneu_core.cli.stats import in_runs


@pytest.mark.parametrize(
    ("sentences", "words"),
    [([0], "1"), ([1, 4, 5, 6, 8], "2, 5–7, 9"), (list(range(9, 60)), "10–60"), ([], "")],
)
def test_sentences_are_named_in_runs(sentences: list[int], words: str) -> None:
    assert in_runs(sentences) == words
