"""Conversion of a stream into whole sentences, for callers that store speech."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.arguments import expect
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.sanity_check import check_length
from vieneu_core.errors import InvalidRequestError, StreamInterruptedError

_STREAM = "a stream of audio, such as router.stream(request)"


async def whole_sentences(chunks: AsyncIterable[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    """Yield each sentence once it is complete; omit what a failure cut off.

    For storing speech. A player should read the stream itself, for an earlier first sound.

    Closes ``chunks`` at the end, and holds at most one sentence.

    Raises:
        InvalidRequestError: ``chunks`` is not a stream of audio.
        StreamInterruptedError: the stream ended without an end mark of its last sentence.
        BadAudioError: a sentence is longer than any real one.
    """
    sentence: list[AudioChunk] = []
    seconds = 0.0
    async with aclosing(checked_stream(chunks)) as stream:
        async for chunk in stream:
            if chunk.restarted:
                sentence.clear()
            seconds = chunk.seconds + (seconds if sentence else 0.0)
            check_length(seconds)
            sentence.append(replace(chunk, restarted=False))
            if chunk.final:
                for whole in sentence:
                    yield whole
                sentence.clear()
    if sentence:
        raise StreamInterruptedError("The stream of audio ended in the middle of a sentence.")


async def checked_stream(chunks: AsyncIterable[AudioChunk]) -> AsyncGenerator[AudioChunk, None]:
    """Pass a stream on and close it at the end.

    Raises:
        InvalidRequestError: ``chunks`` is not a stream of audio.
    """
    expect("chunks", chunks, AsyncIterable, _STREAM, error=InvalidRequestError)
    try:
        async for chunk in chunks:
            expect("A part of chunks", chunk, AudioChunk, _STREAM, error=InvalidRequestError)
            yield chunk
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
