"""Estimated length of a sentence as it is said: "31,5 °C" is short to write and long to say."""

from __future__ import annotations

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.passages import estimated_seconds
from vieneu_core.text.spoken import spoken

_SAID_OF_A_DIGIT = 4
"""Characters that are said of a digit beside itself; English numbers stay digits."""


def said_seconds(sentence: str, language: str, speed: float) -> float:
    """Return the estimated duration of a sentence in seconds, rather too long.

    Blocking: it takes as long as `spoken`.

    Args:
        sentence: One sentence as it is written.
        language: Language of the voice.
        speed: Rate of speech.
    """
    try:
        said = spoken(sentence, language, emotions=True)
    except EmptyTextError:
        said = sentence
    n_digits = sum(map(str.isdecimal, said))
    return estimated_seconds((said + "0" * (_SAID_OF_A_DIGIT * n_digits),), speed)
