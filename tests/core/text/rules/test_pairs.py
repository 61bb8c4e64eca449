"""Tables of written and spoken texts: the rules together, each category by its own rows."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from prepared_text import said_words, vietnamese, words_of


def rows_of(table: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = rows_of("spoken_pairs.tsv")
HOME_ROWS = rows_of("home_pairs.tsv")
WRITTEN = [row["written"] for row in ROWS]


def test_the_table_is_large_and_speaks_of_many_things() -> None:
    assert len(ROWS) >= 300
    assert len(HOME_ROWS) >= 300
    assert len(set(WRITTEN)) == len(WRITTEN)
    assert len(Counter(row["category"] for row in ROWS)) >= 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['category']}: {row['written']}")
def test_it_is_spoken_as_people_say_it(row: dict[str, str]) -> None:
    assert said_words(row["written"]) == row["spoken"]


@pytest.mark.parametrize("row", HOME_ROWS, ids=lambda row: f"{row['category']}: {row['written']}")
def test_it_is_spoken_as_a_home_means_it(row: dict[str, str]) -> None:
    """With the pauses, and the marks at the end."""
    assert vietnamese(row["written"]) == row["spoken"]


@pytest.mark.parametrize("row", HOME_ROWS[::5], ids=lambda row: row["written"])
def test_a_home_is_meant_within_a_sentence_too(row: dict[str, str]) -> None:
    if row["written"][-1] in ".,!?" or row["category"] in {"câu", "đ", "dấu", "chat"}:
        pytest.skip("what stands beside it may matter")
    assert words_of(row["spoken"]) in said_words(f"thông báo, {row['written']}, xin hết")


@pytest.mark.parametrize("row", ROWS[::7], ids=lambda row: row["written"])
def test_it_is_spoken_so_within_a_sentence_too(row: dict[str, str]) -> None:
    if row["category"] in {"ngày", "câu", "lạ", "dấu", "điện thoại"}:
        pytest.skip("what stands before it may matter")
    assert row["spoken"] in said_words(f"xin lưu ý, {row['written']}, xin cảm ơn")


@pytest.mark.parametrize("written", [*WRITTEN, *(row["written"] for row in HOME_ROWS)])
def test_words_stay_words(written: str) -> None:
    once = vietnamese(written)

    assert said_words(once) == words_of(once)
