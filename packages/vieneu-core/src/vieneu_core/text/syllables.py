"""Spelling of Vietnamese syllables: the table of onsets and rimes, and where the tone is written.

The table is that of the orthography, as primers and dictionaries list it by rime, with the rimes
of loan words (xoong, moóc), of imitated sounds (ngoém, nhoẹp, xềng xệch) and of dialects (giếm).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ONSETS = (
    *("ngh", "ng", "nh", "ch", "tr", "th", "ph", "kh", "gh", "gi", "qu"),
    *"bcdđghklmnprstvx",
)
_RIMES = """
    a ac ach ai am an ang anh ao ap at au ay
    ăc ăm ăn ăng ăp ăt
    âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et
    ê êch êm ên êng ênh êp êt êu
    i ia ich im in inh ip it iu
    iêc iêm iên iêng iêp iêt iêu
    o oc oi om on ong ooc oong op ot
    oa oac oach oai oam oan oang oanh oao oap oat oay
    oăc oăm oăn oăng oăt
    oe oem oen oeo oep oet
    ô ôc ôi ôm ôn ông ôp ôt
    ơ ơi ơm ơn ơp ơt
    u ua uc ui um un ung up ut
    uân uâng uât uây
    uê uêch uênh
    uôc uôi uôm uôn uông uôt
    uơ
    uy uya uych uyên uyêt uyn uynh uyp uyt uyu
    ư ưa ưc ưi ưm ưn ưng ưt ưu
    ươc ươi ươm ươn ương ươp ươt ươu
    y yêm yên yêng yêt yêu
"""
RIMES = frozenset(_RIMES.split())
_AFTER_QU = frozenset(
    {rime for rime in RIMES if rime[0] in "aăâeêơ"}  # qua, quên, quạu, quới
    | {rime[1:] for rime in RIMES if rime.startswith("uy")} - {"ya"}  # quý, quyên, quýt
    | {"i", "ich", "in", "inh", "ip", "it", "iu"}  # quí and quít, as many write
    | {"ôc"}  # quốc
)
"""The glide of a syllable is in qu."""
_AFTER = {
    "qu": _AFTER_QU,
    "gi": frozenset(rime for rime in RIMES if rime[0] not in "iy"),  # gì is g and i
    **dict.fromkeys(("gh", "ngh"), frozenset(rime for rime in RIMES if rime[0] in "eêiy")),
    **dict.fromkeys(("c", "ng"), frozenset(rime for rime in RIMES if rime[0] not in "eêiy")),
    "g": frozenset(rime for rime in RIMES if rime[0] not in "eêy"),
}
"""Rimes that are written after some onsets; after the others all are.

So they are after k: before other letters than e, ê, i and y it is in names (Bắc Kạn, Kon Tum).
"""
_TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
SHARP = "\u0301"
"""The tone sắc, as a combining mark."""
_STOPPED = re.compile(r"(?:ch|c|p|t)$")
_ONTO_STOPS = {SHARP, "\u0323"}


def parts_of(syllable: str) -> tuple[str, str]:
    """Return a syllable without its tone, and the tone's mark; the marks of vowels stay."""
    marks = unicodedata.normalize("NFD", syllable)
    tone = "".join(char for char in marks if char in _TONES)
    letters = "".join(char for char in marks if char not in _TONES)
    return unicodedata.normalize("NFC", letters), tone


@lru_cache(maxsize=8192)
def is_syllable(word: str) -> bool:
    """Return whether a word, in letters of any case, can be one Vietnamese syllable."""
    letters, tone = parts_of(word.lower())
    if len(tone) > 1 or (_STOPPED.search(letters) and tone not in _ONTO_STOPS):
        return False
    return letters in RIMES or _onset_of(letters) != ""


def is_readable(word: str) -> bool:
    """Return whether a word is a syllable, or one that ends with c, ch, p or t and lacks its tone.

    It is written so where people leave out the marks.
    """
    return is_syllable(sharpened(word))


def with_tone(syllable: str, tone: str) -> str:
    """Return a syllable without tone with this one, on the vowel where it is written."""
    onset = _onset_of(syllable)
    rime = syllable[len(onset) :]
    bases = [unicodedata.normalize("NFD", char)[0] for char in rime]
    vowels = [at for at, base in enumerate(bases) if base in "aeiouy"]
    if not vowels:
        return syllable
    at = next((v for v in reversed(vowels) if rime[v] in "ăâêôơư"), None)
    if at is None:
        closed = vowels[-1] < len(rime) - 1
        at = vowels[-1] if closed or rime in {"oa", "oe", "uy"} else vowels[max(len(vowels) - 2, 0)]
    marked = rime[: at + 1] + tone + rime[at + 1 :]
    return unicodedata.normalize("NFC", onset + marked)


def sharpened(syllable: str) -> str:
    """Return a syllable that ends with c, ch, p or t with the tone sắc if it has none."""
    letters, tone = parts_of(syllable)
    return with_tone(letters, SHARP) if not tone and _STOPPED.search(letters) else syllable


def _onset_of(letters: str) -> str:
    """Return the onset of a syllable without tone; empty if it has none, or is no syllable."""
    return next(
        (
            onset
            for onset in ONSETS
            if letters.startswith(onset) and letters[len(onset) :] in _AFTER.get(onset, RIMES)
        ),
        "",
    )
