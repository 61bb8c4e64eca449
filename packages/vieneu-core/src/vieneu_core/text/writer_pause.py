"""Length of a writer's pause that ends the sentence, judged by the text before it."""

from __future__ import annotations

import re
import unicodedata

from vieneu_core.text.clean import is_speakable
from vieneu_core.text.rules.abbreviations import WITH_STOP

END_PAUSE_S = 0.3
"""Seconds without more text after which an end mark has ended its sentence."""
UNSURE_PAUSE_S = 1.5
"""The same where the text is likely to go on: after "TP." or "3." """

_MARKS = ".!?…。！？؟।॥"
_CLOSERS = "'\"’”»)]}」』）》】〉*_`~"
_TAIL_CHARS = 64
_END = re.compile(rf"[{re.escape(_MARKS)}][{re.escape(_CLOSERS)}\s]*$")
_ONE_STOP = re.compile(r"(?<![.…])\.$")
_NUMBER_OR_LETTER = re.compile(r"(?:\d|(?<![^\W\d_])[^\W\d_])\.$")
_WORD_BEFORE_STOP = re.compile(r"([^\W_]+(?:\.[^\W_]+)*)\.$")
_ABBREVIATIONS = {
    *WITH_STOP,
    *("TL", "QL", "NXB", "CN", "KP", "VD", "vd", "vv", "tp", "tx", "tt", "gs", "ts", "ths", "bs"),
    *("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Sr", "Jr", "vs", "etc"),
}
_INTRODUCES = (":", ";")


def pause_after(text: str) -> float | None:
    """Return how long no more text may follow until a sentence ends here, in seconds.

    None: no mark is at the end of the text, so the sentence goes on.
    """
    tail = _without_pictures(text[-_TAIL_CHARS:])
    if tail.endswith(_INTRODUCES):
        return UNSURE_PAUSE_S
    if not _END.search(tail):
        return None
    return UNSURE_PAUSE_S if _may_go_on(tail) else END_PAUSE_S


def end_mark(sentence: str) -> str:
    """Return the mark that ends a sentence, such as "?"; empty where it ends without one."""
    found = _END.search(_without_pictures(sentence[-_TAIL_CHARS:]))
    return found[0][0] if found else ""


def _without_pictures(tail: str) -> str:
    """Return the text without what is not said at its end: pictures and white space."""
    while tail and (tail[-1].isspace() or _is_picture(tail[-1])):
        tail = tail[:-1]
    return tail


def _is_picture(char: str) -> bool:
    return unicodedata.category(char) in {"So", "Sk", "Mn", "Me"} and not is_speakable(char)


def _may_go_on(tail: str) -> bool:
    """Return whether the text ends with a number, an initial or an abbreviation."""
    if not _ONE_STOP.search(tail):
        return False
    if _NUMBER_OR_LETTER.search(tail):
        return True
    word = _WORD_BEFORE_STOP.search(tail)
    return word is not None and ("." in word[1] or word[1] in _ABBREVIATIONS)


def starts_sentence(word: str) -> bool:
    """Return whether a sentence that may have ended has, now that this word follows a space."""
    return not word[0].islower()


def without_marks(word: str) -> str:
    """Return the rest of a sentence that was taken to have ended, without its marks."""
    return word.lstrip(_MARKS + _CLOSERS)
