"""What the contract asks of a backend: sentences, and checks of what is heard of them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from backend_cases import BackendCase
from guard import GUARD_S
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, synthesize
from vieneu_core.synthesis import Speech, SynthesisRequest

TWO = ("Đây là câu 1 trong bài.", "Còn đây là câu 2 trong bài.")
MANY = tuple(f"Trong bài này đây là câu {i} nhé." for i in range(3, 33))


async def all_chunks(backend: Backend, request: SynthesisRequest) -> list[AudioChunk]:
    async with asyncio.timeout(GUARD_S), aclosing(backend.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


async def speech_of(backend: Backend, text: str | tuple[str, ...]) -> Speech:
    async with asyncio.timeout(GUARD_S):
        return await synthesize(backend, SynthesisRequest(text=text))


def check_heard(case: BackendCase, speech: Speech, sentences: tuple[str, ...]) -> None:
    """All of the sentences are heard, in order, each to its end."""
    if case.tones:
        tones = heard(speech.pcm, speech.sample_rate_hz)
        assert same(tones, [expected(s) for s in sentences]), tones
        return
    for index, sentence in enumerate(sentences):
        own = Speech(tuple(c for c in speech.chunks if c.sentence == index))
        assert own.seconds > len(sentence) / 30
        assert heard(own.pcm, own.sample_rate_hz) != []


def check_form(chunks: list[AudioChunk], n_sentences: int) -> None:
    """Sentences come in order, and each ends with its one final chunk."""
    indices = [chunk.sentence for chunk in chunks]
    assert indices == sorted(indices)
    assert [chunk.sentence for chunk in chunks if chunk.final] == list(range(n_sentences))
    last_of_each = {chunk.sentence: chunk for chunk in chunks}
    assert all(chunk.final for chunk in last_of_each.values())
    assert len({chunk.sample_rate_hz for chunk in chunks}) == 1
    assert all(len(chunk.pcm) % 2 == 0 for chunk in chunks)
