"""Length of the pause between two sentences, by how the first one ends and where the next begins.

It is the silence that is heard in all: what an engine leaves silent at the edges of its sentences
counts, and only the rest is added (see `audio.pauses`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from vieneu_core.arguments import check_not_negative, refuse
from vieneu_core.text.clean import Break
from vieneu_core.text.sentence_end import end_mark

MAX_PAUSE_S = 2.0
"""Longest pause that can be set, in seconds at speed 1."""
_QUESTION = "!?！？؟"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Silence between two sentences in seconds, at speed 1; none by default.

    Raises:
        ConfigurationError: a field is not a number from 0 to `MAX_PAUSE_S`.
    """

    clause_s: float = 0.0
    """Where no end mark is: a long sentence that was cut at a comma."""
    sentence_s: float = 0.0
    """After a full stop, and at the end of a line."""
    question_s: float = 0.0
    """After a question or an exclamation."""
    paragraph_s: float = 0.0
    """Before a paragraph, an item of a list, or what follows a heading."""

    def __post_init__(self) -> None:
        check_not_negative(self)
        for field in fields(self):
            value = getattr(self, field.name)
            if value > MAX_PAUSE_S:
                raise refuse(field.name, value, f"a number of seconds up to {MAX_PAUSE_S:g}")

    def between(self, sentence: str, following: Break) -> float:
        """Return the pause after a sentence in seconds.

        Args:
            sentence: Its text, with its end mark.
            following: The break before the next sentence.
        """
        mark = end_mark(sentence)
        by_mark_s = self.clause_s if not mark else self.sentence_s
        if mark and mark in _QUESTION:
            by_mark_s = self.question_s
        if following is Break.BLOCK:
            return max(by_mark_s, self.paragraph_s)
        return max(by_mark_s, self.sentence_s) if following is Break.LINE else by_mark_s


NO_PAUSES = Pauses()
NATURAL_PAUSES = Pauses(clause_s=0.3, sentence_s=0.5, question_s=0.6, paragraph_s=0.7)
"""As the VieNeu models pause by themselves inside a text that they speak in one piece.

Source: package vieneu 3.8.3, ``vieneu_utils/core_utils.py``: ``V3_GAP_SILENCE`` (measured there on
23 voices) has 0.30 s inside a sentence, 0.50 s after one, 0.70 s between paragraphs; by
``get_silence_duration_v2`` the pause after ``!`` and ``?`` is 0.1 s longer than after a full stop.
"""
