"""Every backend: loading, unloading and closing, and what it says of itself."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from backend_cases import BackendCase
from contract_checks import MANY, TWO, all_chunks, check_heard, speech_of
from guard import GUARD_S

from vieneu_core.backends.base import Backend, BackendState
from vieneu_core.errors import BackendError, BackendNotLoadedError
from vieneu_core.synthesis import SynthesisRequest


async def test_a_backend_that_is_not_loaded_says_so(unloaded: Backend) -> None:
    with pytest.raises(BackendNotLoadedError) as caught:
        await all_chunks(unloaded, SynthesisRequest(text=TWO[0]))
    with pytest.raises(BackendNotLoadedError):
        await unloaded.voices()

    assert caught.value.backend
    assert not (await unloaded.health()).ready


async def test_loading_twice_changes_nothing(backend: Backend, case: BackendCase) -> None:
    await backend.load()
    await asyncio.gather(backend.load(), backend.load())

    check_heard(case, await speech_of(backend, TWO), TWO)


async def test_it_can_be_loaded_again_after_unloading(backend: Backend, case: BackendCase) -> None:
    await backend.unload()
    with pytest.raises(BackendNotLoadedError):
        await all_chunks(backend, SynthesisRequest(text=TWO[0]))

    await backend.load()

    check_heard(case, await speech_of(backend, TWO), TWO)


async def test_unloading_gives_a_running_stream_a_named_error(backend: Backend) -> None:
    async with (
        asyncio.timeout(GUARD_S),
        aclosing(backend.stream(SynthesisRequest(text=MANY))) as chunks,
    ):
        await anext(chunks)

        await backend.unload()

        with pytest.raises(BackendError):
            async for _ in chunks:
                pass


async def test_health_tells_what_stands_behind_it(backend: Backend) -> None:
    chunks = await all_chunks(backend, SynthesisRequest(text=TWO[0]))

    health = await backend.health()

    assert health.state is BackendState.READY
    assert health.ready
    assert health.engine == chunks[0].speaker.engine
    assert health.model
    assert health.queue_depth == 0


async def test_results_name_the_backend(backend: Backend) -> None:
    chunks = await all_chunks(backend, SynthesisRequest(text=" ".join(TWO)))

    assert len({chunk.speaker for chunk in chunks}) == 1
    assert not chunks[0].speaker.fallback
    assert not chunks[0].speaker.watermarked


async def test_closing_for_good_may_be_repeated(backend: Backend) -> None:
    await speech_of(backend, TWO[0])

    await backend.aclose()
    await backend.aclose()

    with pytest.raises(BackendNotLoadedError):
        await all_chunks(backend, SynthesisRequest(text=TWO[0]))
    assert not (await backend.health()).ready
