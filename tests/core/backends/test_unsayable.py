"""Ends of sentences without samples wait for the first samples of their request."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.backends.unsayable import some_spoken
from vieneu_core.errors import UnpronounceableError, WorkerDiedError

SPEAKER = Speaker(backend="b", engine="e", voice="v")


def part(sentence: int, pcm: bytes = b"", *, final: bool = False) -> AudioChunk:
    return AudioChunk(pcm, 24_000, sentence, SPEAKER, final=final)


async def stream(*chunks: AudioChunk | Exception) -> AsyncGenerator[AudioChunk, None]:
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


async def test_ends_without_samples_come_before_the_first_samples_and_in_order() -> None:
    given = (
        part(0, final=True),
        part(1),
        part(1, final=True),
        part(2),
        part(2, b"ab"),
        part(2, final=True),
        part(3, final=True),
    )
    assert [chunk async for chunk in some_spoken(stream(*given))] == [
        part(0),
        part(0),
        part(0, final=True),
        part(1, final=True),
        *given[4:],
    ]


async def test_no_samples_at_all_are_an_error() -> None:
    found = some_spoken(stream(part(0), part(0, final=True), part(1, final=True)))
    assert await anext(found) == part(0)
    with pytest.raises(UnpronounceableError):
        await anext(found)


async def test_another_failure_stays_what_it_is() -> None:
    with pytest.raises(WorkerDiedError):
        _ = [c async for c in some_spoken(stream(part(0, final=True), WorkerDiedError("Gone.")))]
