"""Estimated length of a sentence as it is said: "31,5 °C" is short to write and long to say."""

from __future__ import annotations

import re

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.passages import estimated_seconds
from vieneu_core.text.spoken import spoken

# In characters, measured with eSpeak, whose speech takes longest.
_SAID_OF_A_DIGIT = 6
"""Beside itself; English numbers stay digits."""
_SAID_OF_A_LETTER = 4
"""Beside itself, where it may be spelled: a capital, or one of a word without vowels enough."""
_PAUSE = 3
"""At each mark."""
_AROUND = 7
"""Before and after the sentence."""
_MARKS = frozenset(",.!?;:")
_UNPRONOUNCEABLE = re.compile(r"\w*(?!ngh)[bcdfghjklmnpqrstvwxzđ]{3}\w*")


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
    return estimated_seconds((said + " " * _more(said, language),), speed)


def _more(said: str, language: str) -> int:
    """Return how many characters are said beside those that are written."""
    n_letters = sum(map(str.isupper, said))
    if language.partition("-")[0].lower() == "vi":  # English has many such words, and says them
        n_letters += sum(map(len, _UNPRONOUNCEABLE.findall(said)))
    return (
        _AROUND
        + _PAUSE * sum(mark in _MARKS for mark in said)
        + _SAID_OF_A_DIGIT * sum(map(str.isdecimal, said))
        + _SAID_OF_A_LETTER * n_letters
    )
