"""Several requests at once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from local_rig import TWO, Make, check_speaks, say
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.errors import (
    BackendNotLoadedError,
    WorkerDiedError,
)
from vieneu_core.synthesis import Speech, SynthesisRequest


async def test_sentences_of_several_requests_take_turns(make: Make) -> None:
    backend = make(chunk_delay_s=0.002)
    await backend.load()
    order: list[str] = []

    async def listen(name: str) -> None:
        request = SynthesisRequest(text=tuple(f"Đây là câu {i}." for i in range(3)))
        async for chunk in backend.stream(request):
            order.extend([name] * chunk.final)

    await asyncio.gather(listen("a"), listen("b"), listen("c"))

    assert order == ["a", "b", "c"] * 3


async def test_a_slow_listener_does_not_hold_up_the_others(make: Make) -> None:
    backend = make()
    await backend.load()
    text = ("Đây là câu 1 " + "rất dài " * 30,)

    async with aclosing(backend.stream(SynthesisRequest(text=text))) as slow:
        first = await anext(slow)
        await check_speaks(backend)
        assert (await backend.health()).queue_depth == 1
        rest = [first, *[chunk async for chunk in slow]]

    assert same(heard(b"".join(c.pcm for c in rest), 24_000), [expected(text[0])])
    assert (await backend.health()).queue_depth == 0


async def test_a_request_that_gives_up_in_the_queue_leaves_no_gap_in_it(make: Make) -> None:
    backend = make(chunk_delay_s=0.01)
    await backend.load()
    speaking = asyncio.create_task(say(backend, *TWO))
    queued = asyncio.create_task(say(backend, TWO[0]))
    last = asyncio.create_task(say(backend, *TWO))
    await until(lambda: backend._queue.depth == 3)

    queued.cancel()
    await asyncio.wait([speaking, queued, last])

    assert queued.cancelled()
    for task in (speaking, last):
        assert same(heard(task.result().pcm, 24_000), [expected(s) for s in TWO])


async def test_only_the_sentence_being_spoken_fails_when_the_worker_dies(make: Make) -> None:
    backend = make()
    await backend.load()

    results = await asyncio.gather(
        say(backend, TWO[0], "Câu này là sigkill."),
        say(backend, *TWO),
        say(backend, *TWO),
        return_exceptions=True,
    )

    assert isinstance(results[0], WorkerDiedError)
    for speech in results[1:]:
        assert isinstance(speech, Speech)
        assert same(heard(speech.pcm, 24_000), [expected(s) for s in TWO])


async def test_unloading_fails_what_is_spoken_and_what_waits(make: Make) -> None:
    backend = make(chunk_delay_s=0.05)
    await backend.load()
    requests = [asyncio.create_task(say(backend, *TWO)) for _ in range(3)]
    await until(lambda: backend._worker._job is not None)

    await backend.unload()

    results = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(result) for result in results] == [BackendNotLoadedError] * 3


async def test_the_event_loop_runs_on_while_the_worker_works(make: Make) -> None:
    backend = make(chunk_delay_s=0.05)
    await backend.load()
    n_turns = 0

    async def turn() -> None:
        nonlocal n_turns
        while True:
            await asyncio.sleep(0)
            n_turns += 1

    turning = asyncio.create_task(turn())
    turns_between: list[int] = []
    async for chunk in backend.stream(SynthesisRequest(text=TWO[0])):
        if not chunk.final:
            turns_between.append(n_turns - sum(turns_between))
    turning.cancel()

    # The engine works for 50 ms before each chunk; a loop that waited for it would turn a few
    # times, a free one turns thousands of times.
    assert len(turns_between) > 5
    assert sorted(turns_between)[len(turns_between) // 2] > 50
