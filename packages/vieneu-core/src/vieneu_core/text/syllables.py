"""Spelling of Vietnamese syllables: whether a word can be one.

The parts and their combinations are those of the orthography: an onset, a rhyme and a tone, where
a rhyme that ends in a stop (c, ch, p, t) has the tone sắc or nặng.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))
_STOP_TONES = {"\u0301", "\u0323"}
_STOPS = ("c", "ch", "p", "t")
_ONSETS = (
    *("ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr"),
    *("b", "c", "d", "đ", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x", ""),
)
_SPELLED = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây"
    " e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu i ich im in inh ip it iu"
    " ia iêc iêm iên iêng iêp iêt iêu o oc oi om on ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt"
    " oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oem oen oeo oet"
    " ơ ơi ơm ơn ơp ơt u uc ui um un ung up ut ua uâc uân uâng uât uây uê uêch uênh"
    " uôc uôi uôm uôn uông uôt uơ uy uya uych uyên uyêt uyn uynh uyp uyt uyu"
    " ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu y yêm yên yêng yêt yêu"
)
_RHYMES = frozenset(_SPELLED.split())
_AFTER_QU = {
    "yn",
    "ynh",
    "yt",
    "ych",
    "yên",
    "yêt",
    "yêu",
    "ăc",
    "ăm",
    "ăn",
    "ăng",
    "ăt",
    "êc",
    "ôc",
}
_AFTER_GI = {"êc", "êng", "ên", "êt"}
_FRONT = tuple("ieêy")
_MAX_LETTERS = 7  # "nghiêng"


@lru_cache(maxsize=8192)
def is_syllable(word: str) -> bool:
    """Return whether the word can be one Vietnamese syllable, in letters of any case."""
    spelled = unicodedata.normalize("NFD", word.lower())
    tones = [char for char in spelled if ord(char) in _TONES]
    if len(tones) > 1:
        return False
    plain = unicodedata.normalize("NFC", spelled.translate(_TONES))
    if not 0 < len(plain) <= _MAX_LETTERS:
        return False
    return any(
        _fits(onset, plain[len(onset) :], tones) for onset in _ONSETS if plain.startswith(onset)
    )


def _fits(onset: str, rhyme: str, tones: list[str]) -> bool:
    if rhyme.endswith(_STOPS) and not _STOP_TONES.issuperset(tones or "-"):
        return False
    if onset in {"k", "gh", "ngh"}:
        return rhyme.startswith(_FRONT) and rhyme in _RHYMES
    if onset in {"c", "g", "ng"} and rhyme.startswith(_FRONT):
        return onset == "g" and rhyme.startswith("i") and rhyme in _RHYMES  # "gì", "gìn"
    return (
        rhyme in _RHYMES
        or (onset == "qu" and rhyme in _AFTER_QU)
        or (onset == "gi" and rhyme in _AFTER_GI)
    )
