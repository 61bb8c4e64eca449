"""Formatting of texts with the marks that a language has in its numbers."""

from __future__ import annotations

import string
from typing import Any


class LocalizedFormatter(string.Formatter):
    """`str.format` with the decimal and thousands marks of a language.

    Only values that are numbers are changed: a version or an address is text.

    Args:
        decimal: Mark before the fraction, such as a comma.
        thousands: Mark between groups of digits, such as a full stop.
    """

    def __init__(self, *, decimal: str, thousands: str) -> None:
        self._marks = str.maketrans({".": decimal, ",": thousands})

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format one value."""
        text = format(value, format_spec)
        return text.translate(self._marks) if isinstance(value, int | float) else text
