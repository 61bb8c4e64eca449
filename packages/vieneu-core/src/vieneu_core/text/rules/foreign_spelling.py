"""Foreign words by rule: English spelling as the Vietnamese syllables that come nearest.

As in Vietnamese loan words: a consonant of a cluster becomes a syllable with ơ (smart: xờ mát), and
at the end of a syllable only the consonants of Vietnamese are left, with the tone sắc on a stop.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from vieneu_core.text.rules.numerals import LETTERS
from vieneu_core.text.syllables import RIMES, is_readable, sharpened

_VOWELS = "aeiouy"
_REWRITTEN = (
    (r"^wr", "r"),
    (r"^kn", "n"),
    (r"^ps", "s"),
    (r"^x", "s"),
    (r"(?<![aeiou])y(?=[aeiou])", "z"),
    (r"tion(s?)$", "sần"),
    (r"[st]ure$", "chờ"),
    (r"sion(s?)$", "giần"),
    (r"[ck]?que$", "k"),
    (r"ck", "k"),
    (r"sch", "s"),
    (r"sh", "ʃ"),
    (r"tch", "t"),
    (r"dge?$", "t"),
    (r"dge", "j"),
    (r"gh(?=t)", ""),
    (r"(?<=[aeiou])gh$", ""),
    (r"qu", "kw"),
    (r"q", "k"),
    (r"c(?=[eiy])", "s"),
    (r"x", "ks"),
    (r"([bdfglmnprstvz])\1", r"\1"),
)
"""Spellings with one sound, in the order in which they are replaced. ʃ is one sound, as in ship."""
_LONG = {"a": "ê", "e": "i", "i": "ai", "o": "ô", "u": "iu", "y": "ai"}
"""Vowel before a consonant and a silent e: name, time, home, tube."""
_SOUNDS = {
    "igh": "ai",
    "eau": "ô",
    "ough": "o",
    "augh": "o",
    "ee": "i",
    "ea": "i",
    "oo": "u",
    "ou": "ao",
    "ow": "ao",
    "ai": "ây",
    "ay": "ây",
    "ei": "ây",
    "ey": "ây",
    "oa": "ô",
    "au": "o",
    "aw": "o",
    "oi": "oi",
    "oy": "oi",
    "ew": "iu",
    "eu": "iu",
    "ue": "iu",
    "ie": "i",
    "ui": "u",
    "oe": "ô",
    "ia": "i a",
    "io": "i ô",
    "iu": "iu",
    "eo": "i ô",
    "ua": "u a",
    "uo": "u ô",
    "ae": "e",
    "ao": "ao",
    "er": "ơ",
    "ir": "ơ",
    "ur": "ơ",
    "ar": "a",
    "or": "o",
    "yr": "ơ",
    "a": "a",
    "e": "e",
    "i": "i",
    "o": "o",
    "u": "u",
    "y": "i",
}
_ONSETS = {
    "ch": "ch",
    "ʃ": "s",
    "th": "th",
    "ph": "ph",
    "wh": "w",
    "ng": "ng",
    "nh": "nh",
    "kh": "kh",
    "gh": "g",
    "tr": "tr",
    "b": "b",
    "c": "c",
    "d": "đ",
    "f": "ph",
    "g": "g",
    "h": "h",
    "j": "gi",
    "k": "c",
    "l": "l",
    "m": "m",
    "n": "n",
    "p": "p",
    "r": "r",
    "s": "x",
    "t": "t",
    "v": "v",
    "w": "w",
    "y": "d",
    "z": "d",
}
_CODAS = {
    "ng": "ng",
    "nk": "nh",
    "n": "n",
    "m": "m",
    "p": "p",
    "b": "p",
    "t": "t",
    "d": "t",
    "th": "t",
    "ch": "t",
    "ʃ": "t",
    "k": "c",
    "c": "c",
    "g": "c",
    "f": "p",
    "v": "p",
    "ph": "p",
    "s": "t",
    "z": "t",
    "j": "t",
    "l": "n",
    "r": "",
    "h": "",
    "w": "",
    "y": "",
}
_GLIDES = {"a": "oa", "ă": "oă", "e": "oe", "ê": "uê", "i": "uy", "â": "uâ"}
"""Vowels after w."""
_FRONT = "eêiy"
_LETTER = re.compile(r"[a-zʃ]")
_LATIN_NAME = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) ([A-Z]{1,2})(?: |$)")
_OTHER_LETTERS = {"đ": "d", "ß": "ss", "ð": "d", "þ": "th", "ı": "i", "ŋ": "ng"}
_ENDING = re.compile(r"(?:sần|chờ|giần)$")
_SILENT_E = re.compile(r"(?<=[aeiouy])([bcdfgjklmnprstvzʃ]|th)e(s?)$")
_SYLLABIC_L = re.compile(r"(?<=[aeiouy])([bcdfgkpstz])les?$")
_MUTE_CODAS = 2
"""Consonants at the end of a syllable of which Vietnamese says one; of more, each is said."""


def by_letters(word: str) -> str:
    """Return the Vietnamese names of a word's letters; of others than Latin ones nothing."""
    return " ".join(LETTERS[char] for char in word if char in LETTERS)


def by_rule(word: str) -> str:
    """Return a lower-case foreign word as Vietnamese syllables.

    Without a vowel, and where the rules find no syllable, it is spelled by letters.
    """
    letters = _plain(word)
    if not set(letters) & set(_VOWELS):
        return by_letters(letters)
    for pattern, sound in _REWRITTEN:
        letters = re.sub(pattern, sound, letters)
    said = " ".join(_syllables(letters))
    return said if said and all(map(is_readable, said.split())) else by_letters(_plain(word))


def _plain(word: str) -> str:
    """Return the base letters of a word: façade is facade."""
    return "".join(map(_base, unicodedata.normalize("NFD", word)))


def _base(char: str) -> str:
    if char in _OTHER_LETTERS or _LETTER.fullmatch(char):
        return _OTHER_LETTERS.get(char, char)
    named = _LATIN_NAME.match(unicodedata.name(char, ""))
    return named[1].lower() if named else ""


def _syllables(letters: str) -> Iterator[str]:
    """Yield the syllables of a word, rewritten to sounds."""
    ending = _ENDING.search(letters)
    body = letters[: ending.start()] if ending else letters
    if syllabic := _SYLLABIC_L.search(body):
        yield from _spoken(body[: syllabic.end(1)], long_at=None)
        yield _written(_ONSETS[syllabic[1]], "ồ")
    elif silent_e := _SILENT_E.search(body):
        yield from _spoken(body[: silent_e.start()] + silent_e[1], long_at=silent_e.start() - 1)
    else:
        yield from _spoken(body, long_at=None)
    if ending:
        yield ending[0]


def _spoken(letters: str, *, long_at: int | None) -> Iterator[str]:
    groups = [
        (found.start(), found[0])
        for found in re.finditer(r"[aeiouy]+(?:r(?![aeiouy]))?|[^aeiouy]+", letters)
    ]
    onset: list[str] = []
    for index, (at, group) in enumerate(groups):
        following = groups[index + 1][1] if index + 1 < len(groups) else ""
        if group[0] not in _VOWELS:
            if index == 0:
                onset = _units(group, _ONSETS)
            continue
        is_last = index + 2 >= len(groups)
        closing, opening = _shared(following, is_last=is_last)
        long = long_at is not None and at <= long_at < at + len(group)
        *firsts, last = _vowels(group, long=long, alone=len(groups) == 1 + bool(onset))
        for first in firsts:
            yield from _syllable(onset, first, [])
            onset = []
        yield from _syllable(onset, last, closing)
        onset = opening


def _vowels(group: str, *, long: bool, alone: bool) -> list[str]:
    if long and group in _LONG:
        return [_LONG[group]]
    if group == "y" and alone:
        return ["ai"]
    return [sound for unit in _units(group, _SOUNDS) for sound in _SOUNDS[unit].split()]


def _shared(consonants: str, *, is_last: bool) -> tuple[list[str], list[str]]:
    """Return the consonants that close a syllable, and those that open the next one."""
    if is_last:
        return _units(consonants, _CODAS), []
    units = _units(consonants, _ONSETS)
    if len(units) > 1:
        return units[:1], units[1:]
    return [], units


def _units(letters: str, known: dict[str, str]) -> list[str]:
    """Cut letters into the longest known spellings; unknown letters are left out."""
    units: list[str] = []
    at = 0
    while at < len(letters):
        size = next((n for n in (4, 3, 2, 1) if letters[at : at + n] in known), 0)
        if size:
            units.append(letters[at : at + size])
        at += size or 1
    return units


def _syllable(onset: list[str], vowel: str, closing: list[str]) -> Iterator[str]:
    """Yield a syllable, with one of its own for each consonant that it has no room for."""
    *before, last = [_ONSETS[unit] for unit in onset] or [""]
    for consonant in before:
        yield _written("" if consonant == "w" else consonant, "ờ")
    codas = [_CODAS.get(unit, "") for unit in closing]
    coda = next(filter(None, codas), "")
    rime = _rime(vowel, coda)
    left = "" if rime else coda
    yield sharpened(_written(last, rime or vowel))
    if left:
        yield _written(left, "ờ")
    if len(closing) > _MUTE_CODAS:
        yield from (_written(_ONSETS[unit], "ờ") for unit in closing[1:] if unit in _ONSETS)
    elif closing[1:] and closing[-1] in {"s", "z"} and coda in {"c", "p", "t"}:
        yield "xờ"


def _rime(vowel: str, coda: str) -> str:
    """Return the rime of vowel and coda as it is written; empty where there is none."""
    for each in (coda, {"c": "ch", "ng": "nh", "nh": "ng"}.get(coda, coda)):
        if vowel + each in RIMES:
            return vowel + each
    return ""


def _written(onset: str, rime: str) -> str:
    """Return onset and rime by the rules of spelling."""
    if onset == "w":
        gliding = [_GLIDES[v] + rime[len(v) :] for v in _GLIDES if rime.startswith(v)]
        return next((each for each in gliding if each in RIMES), "v" + rime)
    if rime[0] in _FRONT:
        onset = {"c": "k", "g": "gh", "ng": "ngh", "gi": "d"}.get(onset, onset)
    if not onset and rime == "ờ":
        return "ờ"
    return onset + rime
