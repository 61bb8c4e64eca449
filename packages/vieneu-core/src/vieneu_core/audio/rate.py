"""Sample rate of a whole stream of speech, as a player asks for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.resample import Resampler
from vieneu_core.threads import on_thread


async def at_rate(
    chunks: AsyncGenerator[AudioChunk, None], sample_rate_hz: int
) -> AsyncGenerator[AudioChunk, None]:
    """Yield the same speech at another sample rate, as it comes.

    Args:
        chunks: Speech of one sample rate.
        sample_rate_hz: The rate of what is yielded.
    """
    resampler: Resampler | None = None
    last: AudioChunk | None = None
    async with aclosing(chunks):
        async for chunk in chunks:
            if resampler is None:
                resampler = await on_thread(Resampler, chunk.sample_rate_hz, sample_rate_hz)
            pcm = await on_thread(resampler.push, chunk.pcm)
            last = replace(chunk, pcm=pcm, sample_rate_hz=sample_rate_hz)
            yield last
    if resampler is not None and last is not None:
        rest = await on_thread(resampler.finish)
        if rest:
            yield replace(last, pcm=rest, restarted=False)
