"""How much speech a text asks for, before any of it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from vieneu_colab_server.speech_demand import demand_of


def test_a_text_is_estimated_by_its_length_and_its_first_sentence() -> None:
    demand = demand_of("Cửa đang mở. " + "Nhớ khóa cửa nhé. " * 10, speed=1.0, within_s=4.5)

    assert demand.speech_s == pytest.approx(193 / 12)
    assert demand.first_s == pytest.approx(11 / 12)
    assert demand.within_s == 4.5


def test_sentences_that_are_split_already_are_counted_as_they_are() -> None:
    demand = demand_of(["", "Ông A. đã về.", "Xin chào."], speed=2.0)

    assert demand.speech_s == pytest.approx(22 / 24)
    assert demand.first_s == pytest.approx(13 / 24)
    assert demand.within_s is None


@pytest.mark.parametrize("text", ["", [], [" "]])
def test_no_text_asks_for_no_first_sentence(text: str | list[str]) -> None:
    assert demand_of(text, speed=1.0).first_s == 0.0


def test_a_text_without_any_end_is_cut_like_a_sentence() -> None:
    assert demand_of("dài " * 1_000, speed=1.0).first_s == 25.0


def test_a_text_that_is_being_written_has_no_known_length() -> None:
    async def pieces() -> AsyncIterator[str]:
        yield "Xin chào."

    assert demand_of(pieces(), speed=1.0).speech_s is None
