"""Detection of an old Vietnamese encoding, by whether its words are Vietnamese syllables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vieneu_core.text.encodings.tables import LEGACY, composed
from vieneu_core.text.syllables import is_syllable

CLEAN = 0.9
"""Least part of the words with Vietnamese letters that are syllables, in clean Vietnamese."""
_QUOTES = "“”‘’„«»…•"
_ODD_K = re.compile("k[^heêiy]", re.IGNORECASE)
_SHORT = 2
_BETWEEN = re.compile(r"[\s!-/:-@\[-`{-~\u2013\u2014°€₫]+")


def _is_doubtful(word: str) -> bool:
    """Return whether a word has k before other letters than e, ê, i and y, and is no name.

    Names are so written (Bắc Kạn); else it is rather a word in another encoding.
    """
    is_name = len(word) > _SHORT and word.istitle()
    return _ODD_K.match(word) is not None and not is_name


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
