"""Symbols as words, for an engine that skips them."""

from __future__ import annotations

import pytest

from vieneu_core.text.rules.symbols import symbols_said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("vi", "500.000₫", "500.000 đồng"),
        ("vi", "€5, ₫ 500", "5 ơ rô , 500 đồng"),
        ("vi", "Giá ₭ tăng", "Giá kíp tăng"),
        ("vi", "25°C", "25 độ C"),
        ("vi", "5‰", "5 phần nghìn"),
        ("vi", "¾ cốc", "3 phần tư cốc"),
        ("vi", "2½ cốc", "2 và 1 phần 2 cốc"),
        ("vi", "Tiếng Việt 5 $ m²", "Tiếng Việt 5 $ m²"),
        ("en", "₫500, 5⅔ cups", "500 dong , 5 and 2 over 3 cups"),
        ("en", "£5", "£5"),
    ],
)
def test_symbols_become_words(language: str, written: str, said: str) -> None:
    assert " ".join(symbols_said(written, language).split()) == said
