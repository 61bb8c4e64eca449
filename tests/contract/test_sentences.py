"""Every backend: each sentence is heard whole, in order and once, whoever listens or leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from backend_cases import BackendCase
from contract_checks import MANY, TWO, all_chunks, check_form, check_heard, speech_of
from guard import GUARD_S

from vieneu_core.backends.base import Backend
from vieneu_core.synthesis import Speech, SynthesisRequest


async def test_one_sentence_is_heard_whole(backend: Backend, case: BackendCase) -> None:
    speech = await speech_of(backend, TWO[0])

    check_form(list(speech.chunks), 1)
    check_heard(case, speech, TWO[:1])


async def test_sentences_come_in_order_and_each_ends_once(
    backend: Backend, case: BackendCase
) -> None:
    chunks = await all_chunks(backend, SynthesisRequest(text=" ".join(TWO)))

    check_form(chunks, 2)
    check_heard(case, Speech(tuple(chunks)), TWO)


async def test_sentences_given_as_such_stay_as_they_are(
    backend: Backend, case: BackendCase
) -> None:
    given = ("Trước. Rồi đến câu 5.", "Sau đó là câu 6, hết.")

    speech = await speech_of(backend, given)

    check_form(list(speech.chunks), 2)
    check_heard(case, speech, given)


async def test_the_first_sentence_is_spoken_before_the_last_piece_is_typed(
    backend: Backend, case: BackendCase
) -> None:
    first_is_spoken = asyncio.Event()

    async def typed() -> AsyncIterator[str]:
        yield TWO[0] + " Còn đây "
        await first_is_spoken.wait()
        yield "là câu 2 "
        yield "trong bài."

    chunks = []
    async with asyncio.timeout(GUARD_S):
        async for chunk in backend.stream(SynthesisRequest(text=typed())):
            chunks.append(chunk)
            if chunk.final:
                first_is_spoken.set()

    check_form(chunks, 2)
    check_heard(case, Speech(tuple(chunks)), TWO)


async def test_a_closed_stream_frees_the_backend_for_the_next(
    backend: Backend, case: BackendCase
) -> None:
    async with asyncio.timeout(GUARD_S):
        for _ in range(3):
            async with aclosing(backend.stream(SynthesisRequest(text=MANY))) as chunks:
                await anext(chunks)
        unused = backend.stream(SynthesisRequest(text=MANY))
        await unused.aclose()

    check_heard(case, await speech_of(backend, TWO), TWO)


async def test_a_cancelled_listener_frees_the_backend_for_the_next(
    backend: Backend, case: BackendCase
) -> None:
    began = asyncio.Event()

    async def listen() -> None:
        async with aclosing(backend.stream(SynthesisRequest(text=MANY))) as chunks:
            async for _ in chunks:
                began.set()

    listener = asyncio.create_task(listen())
    async with asyncio.timeout(GUARD_S):
        await began.wait()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener

    check_heard(case, await speech_of(backend, TWO), TWO)


async def test_requests_at_the_same_time_do_not_mix(backend: Backend, case: BackendCase) -> None:
    texts = [
        tuple(f"Trong bài {n} này là câu {10 * n + i} nhé." for i in range(3)) for n in range(6)
    ]

    speeches = await asyncio.gather(*(speech_of(backend, text) for text in texts))

    for text, speech in zip(texts, speeches, strict=True):
        check_heard(case, speech, text)
