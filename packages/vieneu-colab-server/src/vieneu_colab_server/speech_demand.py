"""Demand of a request: how much speech it asks for, as estimated from its text."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable
from dataclasses import dataclass

_CHARS_PER_S = 12.0
"""Rate of Vietnamese speech at speed 1: 12 to 15 characters a second, at the low end."""
_SENTENCE_S = 5.0
_SENTENCE_END = re.compile(r"[.!?…\n]")
_LONGEST_SENTENCE_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Estimated speech of a request, in seconds."""

    speech_s: float | None = None
    """Of the whole text; None while the text is still being written."""
    first_s: float = _SENTENCE_S
    """Of its first sentence."""
    within_s: float | None = None
    """How long the client waits for the first audio, if it says so."""


def demand_of(
    text: str | list[str] | tuple[str, ...] | AsyncIterable[str],
    *,
    speed: float,
    within_s: float | None = None,
) -> Demand:
    """Estimate the speech of a text."""
    if not isinstance(text, str | list | tuple):
        return Demand(within_s=within_s)
    parts = [text] if isinstance(text, str) else text
    first = next((part.strip() for part in parts if part.strip()), "")
    if isinstance(text, str):
        first = _SENTENCE_END.split(first, maxsplit=1)[0]
    return Demand(
        speech_s=sum(map(len, parts)) / _CHARS_PER_S / speed,
        first_s=min(len(first), _LONGEST_SENTENCE_CHARS) / _CHARS_PER_S / speed,
        within_s=within_s,
    )
