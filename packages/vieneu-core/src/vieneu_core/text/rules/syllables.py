"""Vietnamese syllables as they are written: onset, rime and tone."""

from __future__ import annotations

import re
import unicodedata

ONSETS = (
    *("ngh", "ng", "nh", "ch", "tr", "th", "ph", "kh", "gh", "gi", "qu"),
    *"bcdđghklmnprstvx",
)
_RIMES = """
    a ac ach ai am an ang anh ao ap at au ay
    ăc ăm ăn ăng ăp ăt
    âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et
    ê êch êm ên ênh êp êt êu
    i ia ich im in inh ip it iu
    iêc iêm iên iêng iêp iêt iêu
    o oc oi om on ong op ot
    oa oac oach oai oam oan oang oanh oao oap oat oay
    oăc oăm oăn oăng oăt
    oe oen oeo oep oet
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
    {rime[1:] for rime in RIMES if rime.startswith(("uy", "uâ", "uê", "uơ")) and len(rime) > 1}
    | {rime[1:] for rime in RIMES if rime.startswith(("oa", "oă", "oe"))}
    | {"i", "ôc", "ăm", "ăp"}
)
"""The glide of these rimes is in the onset: quyên, quân, quốc."""
_AFTER_GI = RIMES | {"êng", "êc", "êt", "êm"}
_SHORT_G, _LONG_G = ("c", "g", "ng"), ("k", "gh", "ngh")
_TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
SHARP, FALLING = "\u0301", "\u0300"
"""The tones sắc and huyền, as combining marks."""
_STOPPED = re.compile(r"(?:ch|c|p|t)$")
_ONTO_STOPS = {SHARP, "\u0323"}


def parts_of(syllable: str) -> tuple[str, str]:
    """Return a syllable without its tone, and the tone's mark; the marks of vowels stay."""
    marks = unicodedata.normalize("NFD", syllable)
    tone = "".join(char for char in marks if char in _TONES)
    letters = "".join(char for char in marks if char not in _TONES)
    return unicodedata.normalize("NFC", letters), tone


def is_syllable(word: str) -> bool:
    """Return whether a lower-case word is a Vietnamese syllable.

    One that ends with c, ch, p or t may lack its tone, as where people write without marks.
    """
    letters, tone = parts_of(word)
    if len(tone) > 1 or (tone and _STOPPED.search(letters) and tone not in _ONTO_STOPS):
        return False
    return letters in RIMES or any(
        letters.startswith(onset) and _follows(letters[len(onset) :], onset) for onset in ONSETS
    )


def with_tone(syllable: str, tone: str) -> str:
    """Return a syllable without tone with this one, on the vowel where it is written."""
    onset = next(
        (o for o in ONSETS if syllable.startswith(o) and _follows(syllable[len(o) :], o)), ""
    )
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


def _follows(rime: str, onset: str) -> bool:
    """Return whether a rime can be written after an onset."""
    if onset == "qu":
        return rime in _AFTER_QU
    if onset == "gi":
        return rime in _AFTER_GI
    if onset in _SHORT_G and rime[:1] in "eêi" and (onset, rime[:1]) != ("g", "i"):
        return False
    if onset in _LONG_G and rime[:1] not in "eêiy":
        return onset == "k" and rime in RIMES  # names such as Krông, Kạn
    return rime in RIMES
