"""Turns of several requests on one worker process, and what happens to those that wait."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from fake_clock import FakeClock
from local_rig import TWO, Make, check_speaks, say
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    BackendLoadingError,
    BackendNotLoadedError,
    StreamStalledError,
    WorkerDiedError,
)
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.worker.spec import RestartPolicy, WorkerTimes

LONG = "Đây là câu dài " + "rất dài " * 30
HUNG = "Câu này là hangforever."


@asynccontextmanager
async def task_of(backend: LocalBackend, *sentences: str) -> AsyncIterator[asyncio.Task[Speech]]:
    """Speak in a task of its own, which has the engine."""
    before = backend._worker._n_jobs
    task = asyncio.create_task(say(backend, *sentences))
    await until(lambda: backend._worker._n_jobs > before)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def chunks_of(backend: LocalBackend, text: str) -> list[AudioChunk]:
    return [chunk async for chunk in backend.stream(SynthesisRequest(text=(text,)))]


async def gather_into(got: list[AudioChunk], backend: LocalBackend) -> None:
    async for chunk in backend.stream(SynthesisRequest(text=TWO)):
        got.append(chunk)  # noqa: PERF401 - one by one, for the test that looks at them


async def test_an_announcement_waits_for_one_sentence_of_all_readings_together(make: Make) -> None:
    backend = make(chunk_delay_s=0.002)
    await backend.load()
    order: list[str] = []
    ahead = asyncio.Event()

    async def listen(name: str, *text: str) -> None:
        async for chunk in backend.stream(SynthesisRequest(text=text)):
            order.extend([name] * chunk.final)
            if order.count("reading") > 9:
                ahead.set()

    text = tuple(f"Đây là câu {i}, khá dài để đọc." for i in range(10))
    readings = [asyncio.create_task(listen("reading", *text)) for _ in range(3)]
    await ahead.wait()
    before = len(order)
    await listen("announcement", *TWO)
    await asyncio.gather(*readings)

    assert order[before:].index("announcement") <= 1
    assert order[before:][: order[before:].index("announcement") + 2][-2:] == ["announcement"] * 2


async def test_a_request_shows_that_it_waits_and_when_its_turn_has_come(make: Make) -> None:
    backend = make(chunk_delay_s=0.002)
    await backend.load()

    async with task_of(backend, LONG):
        chunks = await chunks_of(backend, TWO[0])

    n_waiting = sum(chunk.waiting for chunk in chunks)
    assert n_waiting >= 1
    assert all(chunk.waiting and not chunk.pcm for chunk in chunks[:n_waiting])
    turn = chunks[n_waiting]
    assert (turn.pcm, turn.final, turn.waiting) == (b"", False, False)
    assert not any(chunk.waiting for chunk in chunks[n_waiting:])
    assert same(heard(b"".join(c.pcm for c in chunks), 24_000), [expected(TWO[0])])


async def test_a_request_whose_turn_comes_at_once_shows_nothing(make: Make) -> None:
    backend = make()
    await backend.load()

    chunks = await chunks_of(backend, TWO[0])

    assert chunks[0].pcm
    assert not any(chunk.waiting for chunk in chunks)


async def test_a_long_wait_shows_life_every_second(make: Make, clock: FakeClock) -> None:
    backend = make(clock=clock)
    await backend.load()
    async with task_of(backend, HUNG):
        got: list[AudioChunk] = []
        waiting = asyncio.create_task(gather_into(got, backend))
        await until(lambda: bool(got))
        for n_signs in range(2, 12):
            await clock.advance(1.0)
            assert len(got) == n_signs
        assert all(chunk.waiting for chunk in got)
        waiting.cancel()


async def test_a_hung_engine_shows_no_life_to_those_that_wait(make: Make, clock: FakeClock) -> None:
    backend = make(clock=clock)
    await backend.load()
    await check_speaks(backend)
    await check_speaks(backend)
    async with task_of(backend, HUNG):
        got: list[AudioChunk] = []
        waiting = asyncio.create_task(gather_into(got, backend))
        await until(lambda: bool(got))
        for _ in range(10):
            await clock.advance(1.0)

        assert len(got) <= 2, "the limit of whoever reads this runs from now on"
        waiting.cancel()


async def test_those_behind_a_hung_engine_are_spoken_after_it_was_ended(
    make: Make, clock: FakeClock
) -> None:
    backend = make(clock=clock)
    await backend.load()
    async with aclosing(backend.stream(SynthesisRequest(text=(HUNG,)))) as hung:
        await anext(hung)  # and no more: nobody reads what it speaks
        got: list[AudioChunk] = []
        waiting = asyncio.create_task(gather_into(got, backend))
        await until(lambda: bool(got))
        old = backend.worker_pid
        for _ in range(32):
            await clock.advance(1.0)
        await until(lambda: backend.worker_pid not in {old, None})

        await waiting

    assert same(heard(b"".join(c.pcm for c in got), 24_000), [expected(s) for s in TWO])


async def test_those_behind_a_dead_worker_are_released_together(
    make: Make, clock: FakeClock
) -> None:
    backend = make(
        clock=clock,
        restart=RestartPolicy(first_delay_s=60.0, max_delay_s=60.0),
        times=WorkerTimes(start_wait_s=1.0),
    )
    await backend.load()
    async with task_of(backend, HUNG) as speaking:
        waiting = [asyncio.create_task(say(backend, *TWO)) for _ in range(5)]
        await until(lambda: backend._queue.depth == 6)
        assert backend.worker_pid is not None
        os.kill(backend.worker_pid, signal.SIGKILL)
        await until(speaking.done)
        assert isinstance(speaking.exception(), WorkerDiedError)

        await clock.advance(0.9)
        assert not any(task.done() for task in waiting)
        late = asyncio.create_task(say(backend, *TWO))
        await clock.advance(0.2)

        errors = [task.exception() for task in (*waiting, late) if task.done()]
        assert [type(error) for error in errors] == [BackendLoadingError] * 6


async def test_those_behind_a_worker_that_dies_are_spoken_by_the_next_one(make: Make) -> None:
    backend = make()
    await backend.load()
    async with task_of(backend, "Câu này là sigkill.") as speaking:
        waiting = [asyncio.create_task(say(backend, *TWO)) for _ in range(3)]
        for speech in await asyncio.gather(*waiting):
            assert same(heard(speech.pcm, 24_000), [expected(s) for s in TWO])
        assert isinstance(speaking.exception(), WorkerDiedError)


async def test_unloading_releases_those_that_wait(make: Make, clock: FakeClock) -> None:
    backend = make(clock=clock)
    await backend.load()
    async with task_of(backend, HUNG) as speaking:
        waiting = [asyncio.create_task(say(backend, *TWO)) for _ in range(3)]
        await until(lambda: backend._queue.depth == 4)

        await backend.unload()

        results = await asyncio.gather(speaking, *waiting, return_exceptions=True)
    assert [type(result) for result in results] == [BackendNotLoadedError] * 4


async def test_a_consumer_that_does_not_read_keeps_nobody_waiting(make: Make) -> None:
    backend = make(chunk_delay_s=0.002)
    await backend.load()
    async with task_of(backend, LONG) as speaking:
        async with aclosing(backend.stream(SynthesisRequest(text=TWO))) as idle:
            assert (await anext(idle)).waiting
            await check_speaks(backend)
            rest = [chunk async for chunk in idle]
        await speaking

    assert same(heard(b"".join(c.pcm for c in rest), 24_000), [expected(s) for s in TWO])


async def test_one_that_stops_while_it_waits_or_speaks_leaves_the_engine_to_the_others(
    make: Make,
) -> None:
    backend = make(chunk_delay_s=0.002)
    await backend.load()
    async with task_of(backend, LONG, LONG) as speaking:
        async with aclosing(backend.stream(SynthesisRequest(text=TWO))) as first:
            await anext(first)
        speaking.cancel()

    await check_speaks(backend)
    assert backend._queue.depth == 0


async def test_an_engine_that_stalls_fails_only_the_sentence_that_it_speaks(
    make: Make, clock: FakeClock
) -> None:
    backend = make(clock=clock)
    await backend.load()
    async with task_of(backend, HUNG) as speaking:
        waiting = asyncio.create_task(say(backend, *TWO))
        await until(lambda: backend._queue.depth == 2)
        for _ in range(40):  # 30 s, and some for those that are begun later
            await clock.advance(1.0)
        await until(speaking.done)

        assert isinstance(speaking.exception(), StreamStalledError)
        assert same(heard((await waiting).pcm, 24_000), [expected(s) for s in TWO])
