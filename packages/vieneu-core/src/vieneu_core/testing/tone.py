"""Tones instead of speech, for test doubles: the audio identifies the sentence."""

from __future__ import annotations

import math
import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.errors import EmptyTextError
from vieneu_core.text.rules.numerals import cardinal
from vieneu_core.text.spoken import spoken

GAP_S = 0.04
"""Silence before and after the tone of each sentence, so that neighbours are distinct."""
CHUNK_S = 0.1
"""Length of a chunk, in seconds."""
LOWEST_HZ, STEP_HZ, N_PITCHES = 300, 50, 90
"""Tones are on a grid from 300 Hz to 4 750 Hz, which every codec in use preserves."""

_PEAK = 9_800
_RAMP_S = 0.005
_INDEX = re.compile(
    r"câu ((?:(?:không|một|mốt|hai|ba|bốn|năm|lăm|sáu|bảy|tám|chín|mười|mươi|trăm|lẻ) ?)+)"
)


@dataclass(frozen=True, slots=True)
class Tone:
    """The tone of one sentence."""

    hz: int
    """Pitch, on the grid of 50 Hz."""
    seconds: float
    """Length without the silence on either side."""

    def pcm(self, sample_rate_hz: int) -> bytes:
        """Return the whole sentence, silence included, mono signed 16-bit little-endian."""
        # After this many samples the tone repeats exactly. Without numpy, a worker starts faster.
        n_period = sample_rate_hz // math.gcd(sample_rate_hz, self.hz)
        step = 2 * math.pi * self.hz / sample_rate_hz
        period = array("h", (round(_PEAK * math.sin(step * i)) for i in range(n_period)))
        n_tone = round(self.seconds * sample_rate_hz)
        wave = (period * (n_tone // n_period + 1))[:n_tone]
        n_ramp = min(n_tone // 2, round(_RAMP_S * sample_rate_hz))
        for i in range(n_ramp):  # avoids clicks at both ends
            wave[i] = wave[i] * i // n_ramp
            wave[-1 - i] = wave[-1 - i] * i // n_ramp
        gap = bytes(round(GAP_S * sample_rate_hz) * BYTES_PER_SAMPLE)
        return gap + wave.tobytes() + gap


def sentence_tone(text: str, *, speed: float = 1.0) -> Tone:
    """Return the tone of a sentence.

    ``câu 17`` in the text gives the 17th pitch of the grid; any other text is hashed. The
    length is proportional to the number of characters, as with speech. A sentence sounds the
    same as it is written and as a worker prepares it.
    """
    try:
        clean = spoken(text, "vi")
    except EmptyTextError:
        clean = text.strip()
    found = _INDEX.search(clean)
    number = _numbers().get(found[1].strip()) if found else None
    if number is None:
        number = zlib.crc32(clean.encode())
    seconds = (0.3 + 0.03 * len(clean)) / speed
    return Tone(LOWEST_HZ + STEP_HZ * (number % N_PITCHES), round(seconds, 2))


@cache
def _numbers() -> dict[str, int]:
    return {cardinal(number): number for number in range(1_000)}


def in_chunks(pcm: bytes, sample_rate_hz: int, *, chunk_s: float = CHUNK_S) -> Iterator[bytes]:
    """Split samples into chunks of ``chunk_s`` seconds; the last may be shorter."""
    size = max(1, round(chunk_s * sample_rate_hz)) * BYTES_PER_SAMPLE
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]
