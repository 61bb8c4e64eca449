"""Opening of speech: silence for a player that swallows the beginning, and a chime."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from vieneu_core.arguments import check_fields, expect_optional, refuse
from vieneu_core.audio.decode import Clip
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk
from vieneu_core.audio.resample import Resampler
from vieneu_core.threads import on_thread

MAX_LEAD_IN_S: Final = 5.0
_TONES: Final = ((0.0, 880.0), (0.28, 659.26))
"""Start in seconds and pitch in Hz of each tone of the own chime: a fourth down, as a doorbell."""
_CHIME_S: Final = 1.1
_DECAY_PER_S: Final = 5.0
_ATTACK_S: Final = 0.005
_LEVEL: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is heard before speech.

    Raises:
        ConfigurationError: a field has the wrong type, or is out of range.
    """

    lead_in_s: float = 0.0
    """Seconds of silence."""
    chime: bool = False
    """Whether the chime of this package follows."""
    clip: Clip | None = None
    """A sound of the caller's, in place of that chime."""

    def __post_init__(self) -> None:
        check_fields(self)
        expect_optional("clip", self.clip, Clip, "a Clip")
        if not 0 <= self.lead_in_s <= MAX_LEAD_IN_S:
            raise refuse("lead_in_s", self.lead_in_s, f"from 0 to {MAX_LEAD_IN_S:g} seconds")

    def pcm(self, sample_rate_hz: int) -> bytes:
        """Return the samples at the rate of the speech. Blocking."""
        silence = bytes(round(self.lead_in_s * sample_rate_hz) * BYTES_PER_SAMPLE)
        if self.clip is not None:
            resampler = Resampler(self.clip.sample_rate_hz, sample_rate_hz)
            return silence + resampler.push(self.clip.pcm) + resampler.finish()
        return silence + (_chime(sample_rate_hz) if self.chime else b"")


async def with_opening(
    chunks: AsyncGenerator[AudioChunk, None], opening: Opening
) -> AsyncGenerator[AudioChunk, None]:
    """Yield the opening, then the speech. It begins with the first sign that a backend works."""
    is_first = True
    async with aclosing(chunks):
        async for chunk in chunks:
            if is_first and (pcm := await on_thread(opening.pcm, chunk.sample_rate_hz)):
                yield replace(chunk, pcm=pcm, final=False, restarted=False, waiting=False)
            is_first = False
            yield chunk


def _chime(sample_rate_hz: int) -> bytes:
    import numpy as np

    heard = np.zeros(round(_CHIME_S * sample_rate_hz))
    for start_s, pitch_hz in _TONES:
        begin = round(start_s * sample_rate_hz)
        time_s = np.arange(len(heard) - begin) / sample_rate_hz
        envelope = np.exp(-_DECAY_PER_S * time_s) * np.minimum(1.0, time_s / _ATTACK_S)
        heard[begin:] += _LEVEL * envelope * np.sin(2 * np.pi * pitch_hz * time_s)
    return (32_767 * heard).astype("<i2").tobytes()
