"""Check whether audio can be the speech of a sentence at all. It does not judge quality."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.errors import BadAudioError
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FASTEST_LETTERS_PER_S = 25.0
"""Faster than any speech at speed 1.0: espeak speaks 5 (numbers) to 20 letters a second."""
LONGEST_SENTENCE_S = 900.0
"""Longer than any sentence (300 characters at most), however slow the speech."""
_MARGIN = 3.0  # only audio shorter than a third of the fastest speech is certainly no speech
_FEW_LETTERS = 8  # too few letters to estimate a length
_SHORTEST_S = 0.02
_LONGEST_LEAD_S = 1.2  # of silence before the first word, at speed 1.0
_SILENT_PEAK = 8  # of 32 767; a codec adds some noise even to silence


def count_letters(sentence: str) -> int:
    """Return the number of Latin letters and digits.

    Letters of other scripts do not count, because a Vietnamese voice may skip them.
    """
    return sum(
        char.isdecimal() or (char.isalpha() and unicodedata.name(char, "").startswith("LATIN"))
        for char in unicodedata.normalize("NFC", sentence)
    )


def check_length(seconds: float) -> None:
    """Check the length of a sentence that is still arriving, so that it cannot grow without end.

    Args:
        seconds: Audio of the sentence so far.

    Raises:
        BadAudioError: the audio is longer than any sentence.
    """
    if seconds > LONGEST_SENTENCE_S:
        raise too_long(LONGEST_SENTENCE_S)


def too_long(longest_s: float) -> BadAudioError:
    """Return the error for a sentence that is longer than this many seconds."""
    return BadAudioError(
        Translatable(
            "One sentence is longer than {longest_sentence_s:.0f} s.", longest_sentence_s=longest_s
        )
    )


class SpeechCheck:
    """Checks the audio of one sentence while it arrives.

    Args:
        sentence: Its text.
        speed: The requested rate of speech.
        sample_rate_hz: Rate of the samples.
        pause_s: Longest silence that may have been put before it on purpose, in seconds at speed 1.
    """

    def __init__(
        self, sentence: str, *, speed: float, sample_rate_hz: int, pause_s: float = 0.0
    ) -> None:
        self._n_letters = count_letters(sentence)
        self._speed = speed
        self._sample_rate_hz = sample_rate_hz
        self._longest_lead_s = (_LONGEST_LEAD_S + pause_s) / speed
        self._n_samples = 0
        self._silent = True

    def add(self, pcm: bytes) -> None:
        """Add samples (signed 16-bit little-endian).

        Raises:
            BadAudioError: only silence has come, for longer than before any first word.
        """
        n_samples = len(pcm) // BYTES_PER_SAMPLE
        self._n_samples += n_samples
        if self._silent and n_samples:
            self._silent = is_silent(pcm)
            if self._seconds > self._longest_lead_s:
                self._require_sound()

    def finish(self) -> None:
        """Check the complete sentence.

        Raises:
            BadAudioError: the audio is far too short for the text, or silent.
        """
        if not self._n_letters:
            return
        if self._seconds < self._shortest_s():
            raise BadAudioError(
                Translatable(
                    "{seconds:.2f} s of audio for a sentence of {n_letters} letters: far too"
                    " short to be its speech.",
                    seconds=self._seconds,
                    n_letters=self._n_letters,
                )
            )
        self._require_sound()

    @property
    def _seconds(self) -> float:
        return self._n_samples / self._sample_rate_hz

    def _require_sound(self) -> None:
        if self._silent and self._n_letters:
            raise BadAudioError(
                Translatable(
                    "The audio of a sentence is silent for {seconds:.2f} s from its beginning on.",
                    seconds=self._seconds,
                )
            )

    def _shortest_s(self) -> float:
        if self._n_letters < _FEW_LETTERS:
            return _SHORTEST_S
        return self._n_letters / (FASTEST_LETTERS_PER_S * self._speed * _MARGIN)


def is_silent(pcm: bytes) -> bool:
    """Return whether samples (signed 16-bit little-endian) are silent, apart from a codec's noise.

    No samples are silent.
    """
    import numpy as np

    samples: NDArray[np.int16] = np.frombuffer(pcm, "<i2", count=len(pcm) // BYTES_PER_SAMPLE)
    return not len(samples) or max(int(samples.max()), -int(samples.min())) <= _SILENT_PEAK
