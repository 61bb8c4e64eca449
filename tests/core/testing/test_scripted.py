from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from fake_clock import FakeClock, settle
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState, Health, synthesize
from vieneu_core.errors import (
    BackendBusyError,
    BackendNotLoadedError,
    ModelLoadError,
    StreamInterruptedError,
    VoiceNotFoundError,
    WorkerDiedError,
)
from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

TWO = ("Đây là câu 1.", "Đây là câu 2.")
REQUEST = SynthesisRequest(text=TWO)


async def loaded(*script: ScriptStep, clock: FakeClock | None = None) -> ScriptedBackend:
    backend = ScriptedBackend(script, clock=clock)
    await backend.load()
    return backend


async def until_error(
    backend: ScriptedBackend, request: SynthesisRequest = REQUEST
) -> tuple[list[AudioChunk], Exception | None]:
    got: list[AudioChunk] = []
    try:
        async for chunk in backend.stream(request):
            got.append(chunk)  # noqa: PERF401 - what came before the error counts
    except WorkerDiedError as error:
        return got, error
    return got, None


@pytest.mark.parametrize(("sentence", "n_chunks"), [(0, 0), (0, 3), (1, 0), (1, 2)])
async def test_an_error_comes_exactly_where_the_script_says(sentence: int, n_chunks: int) -> None:
    error = WorkerDiedError("killed")
    backend = await loaded(ScriptStep(at_sentence=sentence, after_chunks=n_chunks, error=error))

    got, caught = await until_error(backend)

    assert caught is error
    assert error.backend == "scripted"
    assert sum(chunk.sentence == sentence for chunk in got) == n_chunks
    assert sum(chunk.final for chunk in got) == sentence
    assert backend.record.finished == list(TWO[:sentence])


async def test_an_error_after_the_last_samples_comes_before_the_end_mark() -> None:
    backend = await loaded()
    n_chunks = sum(not c.final for c in (await synthesize(backend, REQUEST)).chunks) // 2
    backend.script = [ScriptStep(after_chunks=n_chunks, error=WorkerDiedError("killed"))]

    got, caught = await until_error(backend)

    assert caught is not None
    assert len(got) == n_chunks
    assert not got[-1].final


async def test_a_turn_serves_one_request_and_then_all_is_well() -> None:
    backend = await loaded(ScriptStep(error=BackendBusyError("full", backend="other")))

    with pytest.raises(BackendBusyError) as caught:
        await synthesize(backend, REQUEST)
    speech = await synthesize(backend, REQUEST)

    assert caught.value.backend == "other"
    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in TWO])
    assert backend.record.requests == [REQUEST, REQUEST]
    assert backend.record.closed_early == 0


async def test_a_truncated_stream_ends_without_an_error() -> None:
    backend = await loaded(ScriptStep(at_sentence=1, after_chunks=1, truncate=True))

    with pytest.raises(StreamInterruptedError):
        await synthesize(backend, REQUEST)


async def test_it_holds_until_it_is_let_go() -> None:
    hold = asyncio.Event()
    backend = await loaded(ScriptStep(at_sentence=1, hold=hold))
    got: list[AudioChunk] = []

    async def listen() -> None:
        async for chunk in backend.stream(REQUEST):
            got.append(chunk)  # noqa: PERF401 - read while it grows

    listener = asyncio.create_task(listen())
    await settle()
    assert {chunk.sentence for chunk in got} == {0}
    assert (await backend.health()).queue_depth == 1

    hold.set()
    await listener

    assert same(heard(Speech(tuple(got)).pcm, 24_000), [expected(s) for s in TWO])
    assert (await backend.health()).queue_depth == 0


async def test_delays_pass_on_the_clock(clock: FakeClock) -> None:
    backend = await loaded(ScriptStep(delay_s=3.0, chunk_delay_s=1.0), clock=clock)
    stream = backend.stream(REQUEST)
    first = asyncio.ensure_future(anext(stream))

    await clock.advance(3.9)
    assert not first.done()
    await clock.advance(0.2)
    assert first.done()

    await stream.aclose()
    assert backend.record.closed_early == 1
    assert backend.record.begun == [TWO[0]]
    assert backend.record.finished == []


async def test_health_and_load_follow_the_script() -> None:
    backend = ScriptedBackend(name="remote")
    backend.load_error = ModelLoadError("no model")
    with pytest.raises(ModelLoadError) as caught:
        await backend.load()
    assert caught.value.backend == "remote"

    backend.load_error, backend.load_hold = None, asyncio.Event()
    loading = asyncio.create_task(backend.load())
    await settle()
    assert (await backend.health()).state is BackendState.UNLOADED
    backend.load_hold.set()
    await loading

    backend.reported = Health(state=BackendState.DRAINING)
    assert (await backend.health()).state is BackendState.DRAINING
    backend.reported = BackendBusyError("full")
    with pytest.raises(BackendBusyError):
        await backend.health()
    assert backend.record.health_checks == 3
    assert backend.record.loads == 1


async def test_a_stream_from_before_unloading_ends_even_if_it_was_loaded_again() -> None:
    backend = await loaded()
    async with aclosing(backend.stream(REQUEST)) as chunks:
        await anext(chunks)
        await backend.unload()
        await backend.load()

        with pytest.raises(BackendNotLoadedError):
            await anext(chunks)
    assert backend.record.unloads == 1


async def test_it_clones_and_watermarks_where_it_is_set_to() -> None:
    backend = ScriptedBackend(clones=True, watermarks=True)
    await backend.load()
    clip = ReferenceAudio(pcm=bytes(48_000), sample_rate_hz=24_000, transcript="Xin chào.")

    speech = await synthesize(
        backend, SynthesisRequest(text=TWO, reference=clip, watermark=True, voice=None)
    )

    assert {chunk.speaker.voice for chunk in speech.chunks} == {"reference"}
    assert all(chunk.speaker.watermarked for chunk in speech.chunks)


async def test_a_wrong_request_is_refused_before_anything_is_spoken() -> None:
    backend = await loaded()

    with pytest.raises(VoiceNotFoundError):
        await synthesize(backend, SynthesisRequest(text=TWO, voice="nobody"))

    assert backend.record.begun == []
