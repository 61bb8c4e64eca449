"""Conversion of a written sentence to phonemes, as in the training of VieNeu-TTS."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.normalize import Normalizer

_EMOTIONS = {
    **dict.fromkeys(("cười", "chuckle"), "<|emotion_1|>"),
    **dict.fromkeys(("thở dài", "sigh"), "<|emotion_2|>"),
    **dict.fromkeys(("hắng giọng", "clear throat"), "<|emotion_3|>"),
}
"""Emotions in brackets in a text, and the model's token for each."""
_BRACKETED = re.compile(r"\[([^\[\]]{1,20})\]")
_ATTACHED = ".,!?"
_SOUNDS = (
    "'-124567abcdefhijklmnoprstuvwxyzäåæçîïðøüăđŋɐɑɔɗəɚɛɜɡɣɪɬɲɹɾʃʊʌʐʒʔʲˈˌː\u0303\u0329\u032aθᵻấầẩắằ"
)


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
        self._normalize = Normalizer()
        self._alphabet = phoneme_alphabet()
        library: Any = import_module("sea_g2p")
        self._convert = library.G2P(lang="vi").convert
        self._end = library.punc_norm

    def __call__(self, sentence: str) -> str:
        """Return the phonemes of a sentence with its punctuation, ending with a mark.

        Raises:
            EmptyTextError: nothing in it can be pronounced.
        """
        pieces = list(self._pieces(sentence))
        if not any(spoken for spoken, _ in pieces):
            raise EmptyTextError("The sentence has nothing that can be pronounced.")
        joined = ""
        for _, piece in pieces:
            gap = "" if piece[:1] in _ATTACHED or not joined else " "
            joined += gap + piece
        return str(self._end(joined))

    def _pieces(self, sentence: str) -> Iterator[tuple[bool, str]]:
        """Yield phonemes and emotions, each with whether it is spoken text."""
        at = 0
        for found in _BRACKETED.finditer(sentence):
            emotion = _EMOTIONS.get(" ".join(found[1].lower().split()))
            if emotion is None:
                continue
            yield from self._spoken(sentence[at : found.start()], behind_emotion=at > 0)
            yield False, emotion
            at = found.end()
        yield from self._spoken(sentence[at:], behind_emotion=at > 0)

    def _spoken(self, text: str, *, behind_emotion: bool) -> Iterator[tuple[bool, str]]:
        mark = text.strip()[:1]
        if mark and mark in _ATTACHED and behind_emotion:
            yield False, mark
        with contextlib.suppress(EmptyTextError):
            if sounds := self._sounds(self._normalize(text)):
                yield True, sounds

    def _sounds(self, words: str) -> str:
        """Return the phonemes of words, without letters that the library cannot read.

        It leaves such letters unchanged ("đhqg"), and no model knows them.
        """
        sounds = "".join(char for char in self._convert(words) if char in self._alphabet)
        return " ".join(sounds.split()) if any(map(str.isalpha, sounds)) else ""
