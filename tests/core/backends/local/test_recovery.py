"""A local backend that recovers: what happens to its worker is heard as a pause, if at all."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from guard import GUARD_S
from local_rig import TWO, Make, check_speaks, say
from tone_engine import Heard, expected, heard, same
from waiting import until

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    BackendLoadingError,
    BackendNotLoadedError,
    DeviceMemoryError,
    ModelLoadError,
    WorkerDiedError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import RestartPolicy, WorkerTimes

IMPATIENT = WorkerTimes(start_wait_s=0.0)
SENTENCES = tuple(f"Đây là câu {i}." for i in range(5))


def whole_sentences(chunks: list[AudioChunk]) -> list[Heard]:
    """Return the tones of what the last try of each sentence sounds like."""
    kept: dict[int, list[AudioChunk]] = {}
    for chunk in chunks:
        if chunk.restarted:
            kept[chunk.sentence] = []
        kept.setdefault(chunk.sentence, []).append(chunk)
    order = [chunk.sentence for chunk in chunks if chunk.final]
    assert order == sorted(set(order)), "each sentence ends once, and in order"
    return heard(b"".join(c.pcm for n in order for c in kept[n]), chunks[0].sample_rate_hz)


def is_all_of(tones: list[Heard], sentences: tuple[str, ...]) -> bool:
    return same(tones, [expected(sentence) for sentence in sentences])


async def test_a_worker_killed_at_any_moment_costs_no_sentence(make: Make) -> None:
    backend = make(chunk_delay_s=0.001, times=IMPATIENT, recovers=True)
    await backend.load()
    n_killed = 0
    for seed in range(20):
        rng = random.Random(seed)
        kill_at, wait_s = rng.randrange(40), rng.random() * 0.01
        got: list[AudioChunk] = []
        async with asyncio.timeout(GUARD_S):
            async for chunk in backend.stream(SynthesisRequest(text=SENTENCES)):
                got.append(chunk)
                if len(got) == kill_at:
                    await asyncio.sleep(wait_s)
                    n_killed += await kill(backend)
        assert is_all_of(whole_sentences(got), SENTENCES), seed
    assert n_killed >= 15


async def kill(backend: LocalBackend, number: signal.Signals = signal.SIGKILL) -> bool:
    pid = backend.worker_pid
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
    return False


async def test_a_request_that_comes_while_the_worker_is_started_waits_for_it(
    make: Make,
) -> None:
    backend = make(times=IMPATIENT, load_delay_s=0.3, recovers=True)
    await backend.load()
    old = backend.worker_pid

    await kill(backend)
    await until(lambda: backend.worker_pid != old)

    await check_speaks(backend)


async def test_others_wait_too_while_the_worker_of_a_bad_sentence_is_started(make: Make) -> None:
    backend = make(times=IMPATIENT, chunk_delay_s=0.005, recovers=True)
    await backend.load()

    bad, good = await asyncio.gather(
        say(backend, "Câu này là sigkill."), say(backend, *SENTENCES), return_exceptions=True
    )

    assert isinstance(bad, WorkerDiedError), "it is given up, and ends nothing else"
    assert not isinstance(good, BaseException)
    assert is_all_of(heard(good.pcm, good.sample_rate_hz), SENTENCES)


async def test_where_another_backend_can_go_on_nothing_is_tried_again(make: Make) -> None:
    backend = make(times=IMPATIENT, restart=RestartPolicy(first_delay_s=0.5), recovers=True)
    await backend.load()

    async def speak(text: str) -> None:
        async for _ in backend.stream(SynthesisRequest(text=text, replaceable=True)):
            pass

    with pytest.raises(WorkerDiedError):
        await speak("Câu này là sigkill.")
    with pytest.raises(BackendLoadingError):
        await speak(TWO[0])
    assert (await backend.health()).worker_restarts == 0, "it waited for no start"
    await check_speaks(backend)
    assert (await backend.health()).worker_restarts == 1


async def test_a_sentence_in_which_the_engine_always_fails_ends_its_own_speech_only(
    make: Make,
) -> None:
    backend = make(recovers=True)
    await backend.load()
    pid = backend.worker_pid

    with pytest.raises(DeviceMemoryError):
        await say(backend, TWO[0], "Câu này là devicememory.")

    await check_speaks(backend)
    assert backend.worker_pid == pid


async def test_a_worker_that_is_stopped_is_ended_and_its_sentence_spoken(make: Make) -> None:
    backend = make(chunk_delay_s=0.02, times=IMPATIENT, recovers=True)
    await backend.load()
    await say(backend, *SENTENCES)  # what it usually does is known now
    old = backend.worker_pid
    got: list[AudioChunk] = []

    async with asyncio.timeout(GUARD_S):
        async for chunk in backend.stream(SynthesisRequest(text=SENTENCES)):
            if not got:
                await kill(backend, signal.SIGSTOP)
            got.append(chunk)

    assert is_all_of(whole_sentences(got), SENTENCES)
    assert backend.worker_pid != old


async def test_an_engine_that_does_not_come_back_ends_the_speech_with_the_reason(
    make: Make, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    backend = make(
        restart=RestartPolicy(first_delay_s=0.0, max_failed_starts=1),
        crash_once_file=str(trap),
        recovers=True,
    )
    await backend.load()
    trap.touch()

    with pytest.raises(ModelLoadError, match="SIGKILL"):
        await say(backend, TWO[0], "Câu này là sigkill.")

    assert (await backend.health()).state is BackendState.FAILED


async def test_unloading_ends_the_wait_for_a_worker(make: Make) -> None:
    backend = make(restart=RestartPolicy(first_delay_s=GUARD_S), recovers=True)
    await backend.load()
    old = backend.worker_pid
    await kill(backend)
    await until(lambda: backend.worker_pid != old)
    waiting = asyncio.create_task(say(backend, TWO[0]))
    await asyncio.sleep(0.05)
    assert not waiting.done()

    await backend.unload()

    with pytest.raises(BackendNotLoadedError):
        await waiting
