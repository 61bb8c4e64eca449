"""Failures of an engine: each has its name, and the next request is spoken."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import aclosing, suppress
from functools import partial

import pytest
from guard import GUARD_S
from local_rig import TWO, Make, check_speaks, say
from tone_engine import expected, heard, same
from waiting import until

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    BackendError,
    BackendLoadingError,
    BadAudioError,
    DeviceMemoryError,
    StreamStalledError,
    SynthesisFailedError,
    WorkerDiedError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import WorkerTimes


@pytest.mark.parametrize(
    ("word", "error", "words"),
    [
        ("segfault", WorkerDiedError, "killed by SIGSEGV"),
        ("sigkill", WorkerDiedError, "killed by SIGKILL (out of memory?)"),
        ("nativeexit", WorkerDiedError, "ended with exit status 3"),
        ("framenoise", WorkerDiedError, "ended with exit status 0"),
        ("memoryerror", DeviceMemoryError, "ran out of memory"),
        ("devicememory", DeviceMemoryError, "needs 5 GB"),
        ("refuse", SynthesisFailedError, "No tone"),
        ("oddbug", SynthesisFailedError, "ZeroDivisionError"),
        ("silent", BadAudioError, ""),
        ("tooshort", BadAudioError, ""),
        ("nothing", BadAudioError, ""),
    ],
)
async def test_each_failure_of_the_engine_has_its_name_and_the_next_request_is_spoken(
    make: Make, word: str, error: type[BackendError], words: str
) -> None:
    backend = make()
    await backend.load()

    with pytest.raises(error) as caught:
        await say(backend, TWO[0], f"Câu này là {word} đấy.", TWO[1])

    assert type(caught.value) is error
    assert words in caught.value.detail
    assert caught.value.backend == "local"
    await check_speaks(backend)


async def test_what_an_engine_prints_disturbs_nothing(make: Make) -> None:
    backend = make()
    await backend.load()
    text = "Đây là câu 8 printnoise."

    speech = await say(backend, text)

    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(text)])


async def test_a_worker_killed_at_any_moment_never_means_audio_that_is_cut_short(
    make: Make,
) -> None:
    backend = make(chunk_delay_s=0.001)
    await backend.load()
    sentences = tuple(f"Đây là câu {i}." for i in range(4))
    outcomes: set[type[BackendError] | None] = set()
    for seed in range(30):
        rng = random.Random(seed)
        n_before = rng.randrange(30)
        pid = backend.worker_pid
        assert pid is not None
        got: list[AudioChunk] = []
        try:
            async with asyncio.timeout(GUARD_S):
                async for chunk in backend.stream(SynthesisRequest(text=sentences)):
                    if len(got) == n_before:
                        await asyncio.sleep(rng.random() * 0.01)
                        os.kill(pid, signal.SIGKILL)
                    got.append(chunk)
        except (WorkerDiedError, BackendLoadingError) as error:
            outcomes.add(type(error))
        else:
            outcomes.add(None)
            assert [c.sentence for c in got if c.final] == [0, 1, 2, 3], seed
        done = [c.sentence for c in got if c.final]
        whole = b"".join(c.pcm for c in got if c.sentence in done)
        assert same(heard(whole, 24_000), [expected(sentences[i]) for i in done]), seed
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await until(partial(has_other_worker, backend, pid))
        await check_speaks(backend)
    assert WorkerDiedError in outcomes


def has_other_worker(backend: LocalBackend, pid: int) -> bool:
    return backend.worker_pid != pid


async def test_an_engine_that_hangs_is_ended_and_started_again(make: Make) -> None:
    backend = make(times=WorkerTimes(stall_s=1.5, start_wait_s=GUARD_S))
    await backend.load()

    with pytest.raises(StreamStalledError) as caught:
        await say(backend, "Câu này là hangforever.")

    assert caught.value.backend == "local"
    await check_speaks(backend)


async def test_an_engine_that_does_not_stop_when_cancelled_is_ended(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="vieneu_core.worker")
    backend = make(times=WorkerTimes(cancel_s=0.1, start_wait_s=GUARD_S))
    await backend.load()
    old = backend.worker_pid
    saying = asyncio.create_task(say(backend, "Câu này là hangforever."))
    await until(lambda: "hangs now" in caplog.text)

    saying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying

    await check_speaks(backend)
    assert backend.worker_pid != old


async def test_a_cancelled_sentence_is_stopped_and_not_spoken_to_its_end(make: Make) -> None:
    backend = make(chunk_delay_s=0.02)
    await backend.load()
    long_sentence = "Đây là câu 1 " + "rất dài " * 2_000  # 16 000 characters: 96 s in the engine

    async with aclosing(backend.stream(SynthesisRequest(text=(long_sentence,)))) as chunks:
        await anext(chunks)
    pid = backend.worker_pid

    async with asyncio.timeout(GUARD_S):
        await check_speaks(backend)
    assert backend.worker_pid == pid
