"""Detection of an old Vietnamese encoding, by whether its words are Vietnamese syllables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vieneu_core.text.encodings.tables import LEGACY, composed
from vieneu_core.text.syllables import is_syllable, parts_of

CLEAN = 0.9
"""Least part of the words with Vietnamese letters that are syllables, in clean Vietnamese."""
_QUOTES = "“”‘’„«»…•"
_RARE = {"quyu", "quyp"}
_AFTER_K = tuple("heêiy")
_SHORT = 2
_BETWEEN = re.compile(r"[\s!-/:-@\[-`{-~\u2013\u2014°€₫]+")


def _is_doubtful(word: str) -> bool:
    """Return whether a word is so rare that it is rather another one in another encoding.

    Those are quýu and quỵp, and k before other letters than e, ê, i and y but in names (Bắc Kạn).
    """
    letters, _ = parts_of(word.lower())
    if letters in _RARE:
        return True
    is_name = len(word) > _SHORT and word.istitle()
    return letters.startswith("k") and not letters[1:].startswith(_AFTER_K) and not is_name


@dataclass(slots=True)
class Evidence:
    """Count of the words of a text that are not ASCII."""

    syllables: int = 0
    others: int = 0

    def add(self, text: str) -> None:
        """Count the words of one more part."""
        for word in _BETWEEN.split(composed(text)):
            bare = word.strip(_QUOTES).strip("0123456789")
            if not bare.isascii() and any(map(str.isalpha, bare)):
                known = is_syllable(bare) and not _is_doubtful(bare)
                self.syllables += known
                self.others += not known

    @property
    def clean(self) -> bool:
        """Whether this is clean Vietnamese."""
        return self.syllables > 0 and self.syllables >= CLEAN * (self.syllables + self.others)


def candidates(data: bytes) -> dict[str, Evidence]:
    """Return the encodings in which the bytes are clean Vietnamese."""
    found: dict[str, Evidence] = {}
    for name, decode in LEGACY.items():
        evidence = Evidence()
        try:
            evidence.add(decode(data))
        except UnicodeDecodeError:
            continue
        if evidence.clean:
            found[name] = evidence
    return found
