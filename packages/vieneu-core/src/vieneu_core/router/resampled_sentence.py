"""Sentence that is being received, resampled to the rate of its delivery."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.resample import Resampler


@dataclass(slots=True, kw_only=True)
class ResampledSentence:
    """The received part of one sentence."""

    begun: bool = False
    heard: bool = False
    """Whether a part of it was released."""
    seconds: float = 0.0
    chunks: list[AudioChunk] = field(default_factory=list)
    """Held until the sentence is complete."""
    _resampler: Resampler | None = None

    async def at_rate(self, chunk: AudioChunk, rate_hz: int) -> AudioChunk:
        """Return the next chunk of the sentence, resampled to another rate."""
        if chunk.sample_rate_hz == rate_hz:
            return chunk
        if self._resampler is None:
            # On a thread, because the first call imports the codecs.
            self._resampler = await asyncio.to_thread(Resampler, chunk.sample_rate_hz, rate_hz)
        pcm = await asyncio.to_thread(_resample, self._resampler, chunk)
        return replace(chunk, pcm=pcm, sample_rate_hz=rate_hz)


def _resample(resampler: Resampler, chunk: AudioChunk) -> bytes:
    pcm = resampler.push(chunk.pcm)
    return pcm + resampler.finish() if chunk.final else pcm
