"""Sentences as they are prepared for a Vietnamese voice."""

from __future__ import annotations

import re

from vieneu_core.text.spoken import spoken as prepared


def words_of(text: str) -> str:
    """Words alone, without the marks for pauses."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def vietnamese(text: str) -> str:
    return prepared(text, "vi")


def said_words(text: str) -> str:
    return words_of(vietnamese(text))
