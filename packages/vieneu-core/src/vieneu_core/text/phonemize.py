"""Conversion of the words of a sentence to phonemes, as in the training of VieNeu-TTS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from vieneu_core.errors import EmptyTextError, MissingExtraError
from vieneu_core.text.emotions import EMOTIONS, split_emotions

_ATTACHED = ".,!?"
_SOUNDS = (
    "'-124567abcdefhijklmnoprstuvwxyzäåæçîïðøüăđŋɐɑɔɗəɚɛɜɡɣɪɬɲɹɾʃʊʌʐʒʔʲˈˌː\u0303\u0329\u032aθᵻấầẩắằ"
)
_VOWELS = "aeiouyäåæîïøüăɐɑɔəɚɛɜɪʊʌᵻấầẩắằ"
_NUCLEUS = re.compile(f"[{_VOWELS}][{_VOWELS}ː0-9]*")


def count_syllables(phonemes: str) -> int:
    """Return the number of syllables: those of a word are its vowels with consonants between.

    A stress mark parts vowels too. A word without vowels is one syllable.
    """
    words = [word for word in phonemes.split() if any(map(str.isalpha, word))]
    return sum(max(1, len(_NUCLEUS.findall(word))) for word in words)


def phoneme_alphabet() -> frozenset[str]:
    """Return all characters that phonemes consist of, emotions excluded.

    These are the characters in the dictionary of sea-g2p, with its marks; a test compares them.
    """
    return frozenset(f" {_ATTACHED}{_SOUNDS}")


class Phonemizer:
    """Converts sentences to phonemes. Blocking; may be called from several threads.

    Raises:
        MissingExtraError: sea-g2p is not installed.
    """

    def __init__(self) -> None:
        self._alphabet = phoneme_alphabet()
        try:
            library: Any = import_module("sea_g2p")
        except ImportError as error:
            raise MissingExtraError("Reading Vietnamese", "model") from error
        self._convert = library.G2P(lang="vi").convert
        self._end = library.punc_norm

    def __call__(self, words: str) -> str:
        """Return the phonemes of a sentence with its punctuation, ending with a mark.

        Args:
            words: The sentence as prepared by `text.spoken.spoken`, with its emotions.

        Raises:
            EmptyTextError: nothing in it can be pronounced.
        """
        pieces = list(self._pieces(words))
        if not any(is_speech for is_speech, _ in pieces):
            raise EmptyTextError("The sentence has nothing that can be pronounced.")
        joined = ""
        for _, piece in pieces:
            gap = "" if piece[:1] in _ATTACHED or not joined else " "
            joined += gap + piece
        return str(self._end(joined))

    def _pieces(self, words: str) -> Iterator[tuple[bool, str]]:
        """Yield phonemes, emotions and marks behind them, each with whether it is speech."""
        for emotion, part in split_emotions(words):
            text = part.strip()
            if emotion:
                yield False, EMOTIONS[emotion]
                if text[:1] and text[0] in _ATTACHED:
                    yield False, text[0]
                    text = text[1:]
            if sounds := self._sounds(text):
                yield True, sounds

    def _sounds(self, words: str) -> str:
        """Return the phonemes of words, without letters that the library cannot read.

        It leaves such letters unchanged ("đhqg"), and no model knows them.
        """
        sounds = "".join(char for char in self._convert(words) if char in self._alphabet)
        return " ".join(sounds.split()) if any(map(str.isalpha, sounds)) else ""
