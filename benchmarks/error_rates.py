"""Error rates of recognised text against what should have been said.

The rate of a set is its edits divided by its reference length, summed over the sentences (long
sentences count more), so it can exceed 1. An edit is the insertion, removal or replacement of one
unit: a character (CER, a single space between two words counts) or a word (WER; a written word of
Vietnamese is a syllable). Both texts are put into one form before: Unicode NFC, small letters,
punctuation as spaces, spaces collapsed, and the older place of a tone mark ("hoà", "khoẻ", "thuý")
as the newer one ("hòa", "khỏe", "thúy"), which sounds the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

N_RESAMPLES = 2_000
_TONES = "\u0300\u0301\u0303\u0309\u0323"
# "hoà" and "hòa": the mark moves to the first vowel where the syllable ends. Not after "q": "quý".
_OLDER_MARK = re.compile(rf"(?<!q)(o(?=[ae])|u(?=y))([aey])([{_TONES}])(?!\w)")


@dataclass(frozen=True, slots=True)
class Edits:
    """Edits of one sentence, and the length of its reference."""

    characters: int
    n_characters: int
    words: int
    n_words: int


@dataclass(frozen=True, slots=True)
class Rate:
    """An error rate with its 95 % confidence interval over the sentences."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def plain(text: str) -> str:
    """Return a text in the form that is compared."""
    letters = unicodedata.normalize("NFC", text).lower()
    words = "".join(c if c.isalnum() or unicodedata.category(c) == "Mn" else " " for c in letters)
    apart = unicodedata.normalize("NFD", " ".join(words.split()))
    return unicodedata.normalize("NFC", _OLDER_MARK.sub(r"\1\3\2", apart))


def edits(references: Sequence[str], heard: str) -> Edits:
    """Compare what was heard with the nearest of the accepted references.

    Raises:
        ValueError: there is no reference, or one without a word.
    """
    if not references or not all(plain(reference) for reference in references):
        raise ValueError("A sentence needs a reference with at least one word.")
    counted = [_edits(plain(reference), plain(heard)) for reference in references]
    return min(counted, key=lambda found: found.characters / found.n_characters)


def _edits(reference: str, heard: str) -> Edits:
    words = reference.split()
    return Edits(
        characters=distance(reference, heard),
        n_characters=len(reference),
        words=distance(words, heard.split()),
        n_words=len(words),
    )


def distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the Levenshtein distance of two sequences."""
    row = list(range(len(b) + 1))
    for i, unit in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, start=1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (unit != other)),
            )
    return row[-1]


def character_error_rate(found: Sequence[Edits]) -> Rate:
    """Return the character error rate of a set of sentences."""
    return _rate([(one.characters, one.n_characters) for one in found])


def word_error_rate(found: Sequence[Edits]) -> Rate:
    """Return the word error rate of a set of sentences."""
    return _rate([(one.words, one.n_words) for one in found])


def _rate(pairs: Sequence[tuple[int, int]]) -> Rate:
    """Return the rate; its interval is the percentile bootstrap over the sentences.

    Source: B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3.
    """
    counts = np.array(pairs, np.float64).reshape(-1, 2)
    drawn = np.random.default_rng(0).integers(0, len(counts), (N_RESAMPLES, len(counts)))
    sums = counts[drawn].sum(axis=1)
    low, high = np.percentile(sums[:, 0] / sums[:, 1], (2.5, 97.5))
    total = counts.sum(axis=0)
    return Rate(float(total[0] / total[1]), float(low), float(high))
