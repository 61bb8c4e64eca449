"""Numbers within texts have the marks of the language."""

from __future__ import annotations

import pytest

from vieneu_core.i18n import Messages, translated
from vieneu_core.translatable import Translatable


@pytest.mark.parametrize(
    ("template", "value", "english", "vietnamese"),
    [
        ("{seconds:.2f}", 1234.567, "1234.57", "1234,57"),
        ("{seconds:g}", 0.5, "0.5", "0,5"),
        ("{seconds:,.1f}", 12345.67, "12,345.7", "12.345,7"),
        ("{seconds:,}", 12345, "12,345", "12.345"),
        ("{seconds}", 2.5, "2.5", "2,5"),
        ("{seconds:d}", 8000, "8000", "8000"),
        ("{seconds}", "0.1.0", "0.1.0", "0.1.0"),
    ],
)
def test_values_of_translated_texts(
    template: str, value: object, english: str, vietnamese: str
) -> None:
    text = Translatable(template, seconds=value)
    assert translated(text, "en") == english
    assert translated(text, "vi") == vietnamese


def test_an_error_and_a_message_write_a_number_alike() -> None:
    text = Translatable(
        "{host} accepted no connection within {limit_s:g} s.", host="h", limit_s=2.5
    )
    assert translated(text, "vi") == "h không nhận kết nối trong vòng 2,5 giây."
    assert Messages("vi", "format")("seconds", seconds=2.5) == "2,5 giây"
    assert Messages("vi").number(2.5, 1) == "2,5"


def test_how_long_ago_something_was() -> None:
    assert Messages("en").ago(59.9) == "59 s ago"
    assert Messages("vi").ago(8 * 3600 + 120) == "8 giờ 2 phút trước"
