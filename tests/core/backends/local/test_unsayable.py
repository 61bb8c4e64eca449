"""A sentence that the engine cannot pronounce ends without samples; the others are spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from guard import GUARD_S
from local_rig import TWO, Make
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import UnpronounceableError
from vieneu_core.synthesis import SynthesisRequest, collect

UNSAYABLE = "Đây là câu 9 unsayable."


async def chunks_of(backend: LocalBackend, request: SynthesisRequest) -> list[AudioChunk]:
    async with asyncio.timeout(GUARD_S), aclosing(backend.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_the_other_sentences_are_spoken(make: Make, at: int) -> None:
    backend = make()
    await backend.load()
    sentences = [*TWO]
    sentences.insert(at, UNSAYABLE)

    chunks = await chunks_of(backend, SynthesisRequest(text=tuple(sentences)))

    assert [chunk.sentence for chunk in chunks if chunk.final] == [0, 1, 2]
    assert [chunk.sentence for chunk in chunks] == sorted(chunk.sentence for chunk in chunks)
    assert not any(chunk.pcm for chunk in chunks if chunk.sentence == at)
    pcm = b"".join(chunk.pcm for chunk in chunks)
    assert same(heard(pcm, 24_000), [expected(sentence) for sentence in TWO])
    assert len({chunk.speaker for chunk in chunks}) == 1


async def test_text_that_is_written_goes_on_after_it(make: Make) -> None:
    backend = make()
    await backend.load()

    async def written() -> AsyncIterator[str]:
        yield f"{UNSAYABLE}\n"
        yield f"{TWO[0]}\n{UNSAYABLE}"

    speech = await collect(backend.stream(SynthesisRequest(text=written())))

    assert same(heard(speech.pcm, 24_000), [expected(TWO[0])])
    assert len(speech.speakers) == 3


async def test_a_request_without_any_sayable_sentence_is_an_error(make: Make) -> None:
    backend = make()
    await backend.load()

    with pytest.raises(UnpronounceableError) as caught:
        await chunks_of(backend, SynthesisRequest(text=(UNSAYABLE, UNSAYABLE)))

    assert caught.value.backend == "local"
    assert (await backend.health()).ready
