"""Choice of the pause after a sentence: by its end mark, and by what separates it from the next."""

from __future__ import annotations

from vieneu_core.audio.pauses import Pauses
from vieneu_core.text.clean import Break
from vieneu_core.text.writer_pause import end_mark

_QUESTION = "!?！？؟"


def pause_between(sentence: str, following: Break, pauses: Pauses) -> float:
    """Return the pause after a sentence in seconds, at speed 1.

    Args:
        sentence: Its text, with its end mark.
        following: The break before the next sentence.
        pauses: The lengths to choose from.
    """
    mark = end_mark(sentence)
    by_mark_s = pauses.sentence_s if mark else pauses.clause_s
    if mark and mark in _QUESTION:
        by_mark_s = pauses.question_s
    if following is Break.BLOCK:
        return max(by_mark_s, pauses.paragraph_s)
    return max(by_mark_s, pauses.sentence_s) if following is Break.LINE else by_mark_s
