"""Sentences that a backend has no sounds for: they end without samples, and the rest is spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import UnpronounceableError


async def some_spoken(
    chunks: AsyncGenerator[AudioChunk, None],
) -> AsyncGenerator[AudioChunk, None]:
    """Pass a stream on and close it at the end.

    Ends of sentences without samples are held back until any sentence has samples.

    Raises:
        UnpronounceableError: no sentence has samples.
        VieneuError: whatever ``chunks`` raises.
    """
    held: list[AudioChunk] = []
    spoken = False
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk.pcm and not spoken:
                spoken = True
                for end in held:
                    yield end
                held.clear()
            if chunk.final and not spoken:
                held.append(chunk)
            else:  # in the order of the sentences, also where it only shows activity
                yield replace(chunk, sentence=held[0].sentence) if held else chunk
    if held:
        raise UnpronounceableError("The voice has no sounds for any character of this text.")
