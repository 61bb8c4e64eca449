from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path

import psutil
import pytest
from fake_clock import FakeClock, settle
from guard import GUARD_S
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState, synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    BadAudioError,
    DeviceMemoryError,
    ModelLoadError,
    StreamStalledError,
    SynthesisFailedError,
    VieneuError,
    VoiceNotFoundError,
    WorkerDiedError,
)
from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.host import EngineSpec, RestartPolicy, WorkerTimes
from vieneu_core.worker.process import WorkerProcess

TWO = ("Đây là câu 1 nhé.", "Đây là câu 2 nhé.")
AT_ONCE = RestartPolicy(first_delay_s=0.0)
PATIENT = WorkerTimes(start_wait_s=GUARD_S)

Make = Callable[..., LocalBackend]


@pytest.fixture
async def make(no_leaks: None) -> AsyncIterator[Make]:  # noqa: ARG001 - it looks after this one
    made: list[LocalBackend] = []

    def new(
        *,
        clock: Clock | None = None,
        restart: RestartPolicy = AT_ONCE,
        times: WorkerTimes = PATIENT,
        voices: VoiceCatalogue | None = None,
        default_voice: str | None = None,
        **options: object,
    ) -> LocalBackend:
        spec = EngineSpec("tone_engine:create", options)
        backend = LocalBackend(
            spec,
            clock=clock,
            restart=restart,
            times=times,
            voices=voices,
            default_voice=default_voice,
        )
        made.append(backend)
        return backend

    yield new
    for backend in made:
        await backend.aclose()


async def say(backend: LocalBackend, *sentences: str) -> Speech:
    async with asyncio.timeout(GUARD_S):
        return await synthesize(backend, SynthesisRequest(text=sentences))


async def check_speaks(backend: LocalBackend) -> None:
    speech = await say(backend, *TWO)
    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in TWO])


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process brings about."""
    async with asyncio.timeout(GUARD_S):
        while True:
            result = true()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.005)


async def state(backend: LocalBackend) -> BackendState:
    return (await backend.health()).state


# --- failures of the engine ----------------------------------------------------------------


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
        await until(lambda pid=pid: backend.worker_pid != pid)
        await check_speaks(backend)
    assert WorkerDiedError in outcomes


# --- restarting ----------------------------------------------------------------------------


async def test_while_it_is_started_again_requests_are_told_when_to_come_back(
    make: Make, clock: FakeClock
) -> None:
    backend = make(
        clock=clock,
        restart=RestartPolicy(first_delay_s=4.0),
        times=WorkerTimes(start_wait_s=0.0),
    )
    await backend.load()

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    with pytest.raises(BackendLoadingError) as caught:
        await say(backend, TWO[0])

    assert caught.value.retry_after_s == pytest.approx(4.0, abs=1.0)
    assert caught.value.backend == "local"
    assert await state(backend) is BackendState.LOADING
    assert (await backend.health()).uptime_s is None
    with pytest.raises(BackendLoadingError):
        await backend.voices()
    await clock.advance(4.1)
    await until(lambda: is_ready(backend))
    await check_speaks(backend)


async def is_ready(backend: LocalBackend) -> bool:
    return (await backend.health()).ready


async def test_the_delay_doubles_up_to_its_cap_and_is_short_again_after_a_healthy_while(
    make: Make, clock: FakeClock
) -> None:
    policy = RestartPolicy(first_delay_s=1.0, max_delay_s=3.0, healthy_after_s=60.0)
    backend = make(clock=clock, restart=policy, times=WorkerTimes(start_wait_s=0.0))
    await backend.load()

    for delay_s in [1.0, 2.0, 3.0, 3.0]:
        await die_and_come_back(backend, clock, delay_s)
    await clock.advance(61.0)
    for delay_s in [1.0, 2.0]:
        await die_and_come_back(backend, clock, delay_s)


async def die_and_come_back(backend: LocalBackend, clock: FakeClock, delay_s: float) -> None:
    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    await settle()
    await clock.advance(delay_s - 0.01)
    assert backend.worker_pid is None
    await clock.advance(0.02)
    await until(lambda: is_ready(backend))


async def test_a_request_waits_a_moment_for_a_worker_that_comes_back(make: Make) -> None:
    backend = make()
    await backend.load()
    old = backend.worker_pid
    assert old is not None

    os.kill(old, signal.SIGKILL)
    await until(lambda: backend.worker_pid != old)

    await check_speaks(backend)
    assert backend.worker_pid != old


async def test_a_death_while_it_loads_again_is_tried_once_more(make: Make, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    backend = make(crash_once_file=str(trap))
    await backend.load()
    trap.touch()

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")

    await check_speaks(backend)
    assert not trap.exists()


async def test_a_model_that_dies_again_and_again_is_given_up(make: Make, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    backend = make(
        restart=RestartPolicy(first_delay_s=0.0, max_failed_starts=1), crash_once_file=str(trap)
    )
    await backend.load()
    trap.touch()

    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    with pytest.raises(ModelLoadError, match="SIGKILL"):
        await say(backend, TWO[0])

    assert await state(backend) is BackendState.FAILED
    await backend.load()
    await check_speaks(backend)


# --- loading -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "error", "words"),
    [
        ("model", ModelLoadError, "The tuning fork is missing."),
        ("memory", DeviceMemoryError, "out of memory"),
        ("extra", ModelLoadError, "packages/vieneu-core[tone]"),
        ("bug", ModelLoadError, "ZeroDivisionError: division by zero"),
        ("crash", ModelLoadError, "killed by SIGSEGV while it loaded"),
        ("voice", ModelLoadError, "No voice file."),
    ],
)
async def test_a_model_that_does_not_load_is_an_error_and_no_loop(
    make: Make, word: str, error: type[VieneuError], words: str
) -> None:
    backend = make(load_error=word)

    for _ in range(2):
        with pytest.raises(error) as caught:
            await backend.load()
        assert words in str(caught.value)
        assert type(caught.value) is error

    assert await state(backend) is BackendState.FAILED
    assert backend.worker_pid is None
    with pytest.raises(error):
        await say(backend, TWO[0])


async def test_an_engine_that_does_not_exist_is_named(no_leaks: None) -> None:  # noqa: ARG001 - it looks afterwards
    backend = LocalBackend("gramophone")

    with pytest.raises(ModelLoadError, match=r"'gramophone'.*espeak"):
        await backend.load()
    await backend.aclose()


async def test_loading_that_takes_too_long_is_ended(make: Make) -> None:
    backend = make(times=WorkerTimes(load_s=0.2, stop_s=0.1), load_delay_s=100.0)

    with pytest.raises(ModelLoadError, match=r"0\.2 s"):
        await backend.load()

    assert backend.worker_pid is None


async def test_many_loads_at_once_start_one_worker(make: Make) -> None:
    backend = make(load_delay_s=0.1)
    loads = [asyncio.create_task(backend.load()) for _ in range(5)]
    await until(lambda: backend.worker_pid is not None)
    assert await state(backend) is BackendState.LOADING

    await asyncio.gather(*loads)

    assert len(psutil.Process().children()) == 1
    assert await state(backend) is BackendState.READY


async def test_unloading_while_it_loads_ends_both(make: Make) -> None:
    backend = make(load_delay_s=100.0)
    loading = asyncio.create_task(backend.load())
    await until(lambda: backend.worker_pid is not None)

    await backend.unload()

    with pytest.raises(BackendNotLoadedError):
        await loading
    assert backend.worker_pid is None


async def test_loading_while_it_unloads_waits_for_the_end_of_the_old_worker(make: Make) -> None:
    backend = make()
    await backend.load()
    old = backend.worker_pid
    assert old is not None

    unloading = asyncio.create_task(backend.unload())
    await asyncio.sleep(0)
    await asyncio.gather(backend.load(), backend.load())
    await unloading

    await check_speaks(backend)
    assert backend.worker_pid != old
    assert not psutil.pid_exists(old)


async def test_a_cancelled_load_goes_on_until_unloaded(make: Make) -> None:
    backend = make(load_delay_s=0.2)
    loading = asyncio.create_task(backend.load())
    await until(lambda: backend.worker_pid is not None)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading

    await backend.load()

    await check_speaks(backend)


async def test_unloading_gives_the_memory_back(make: Make) -> None:
    backend = make()
    await backend.load()
    await check_speaks(backend)
    pid = backend.worker_pid
    assert pid is not None
    assert backend.worker_rss_bytes == pytest.approx(psutil.Process(pid).memory_info().rss, rel=0.3)

    await backend.unload()

    assert not psutil.pid_exists(pid)
    assert backend.worker_rss_bytes is None
    assert backend.worker_pid is None


async def test_unloading_while_it_is_being_started_again_ends_the_wait(
    make: Make, clock: FakeClock
) -> None:
    backend = make(clock=clock, restart=RestartPolicy(first_delay_s=5.0))
    await backend.load()
    with pytest.raises(WorkerDiedError):
        await say(backend, "Câu này là sigkill.")
    waiting = asyncio.create_task(say(backend, TWO[0]))
    await settle()

    await backend.unload()

    with pytest.raises(BackendNotLoadedError):
        await waiting


async def test_a_bug_in_the_supervision_leaves_nobody_waiting(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = make()

    async def broken() -> WorkerProcess:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(WorkerProcess, "spawn", broken)
        with pytest.raises(ModelLoadError, match="could not be kept running"):
            await backend.load()

    await backend.load()
    await check_speaks(backend)


# --- engines that hang ---------------------------------------------------------------------


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


# --- several at once -----------------------------------------------------------------------


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
    await until(lambda: backend._queue_depth == 3)

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
    await until(lambda: backend._host._job is not None)

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


# --- requests ------------------------------------------------------------------------------


async def test_reference_audio_and_watermark_reach_an_engine_that_can(make: Make) -> None:
    backend = make(clones=True, watermarks=True)
    await backend.load()
    clip = ReferenceAudio(pcm=bytes(96_000), sample_rate_hz=24_000, transcript="Xin chào.")

    speech = await synthesize(
        backend, SynthesisRequest(text=TWO, reference=clip, watermark=True, speed=1.25)
    )

    assert {(c.speaker.voice, c.speaker.watermarked) for c in speech.chunks} == {
        ("reference", True)
    }


async def test_an_error_of_the_text_itself_comes_through_and_frees_the_worker(make: Make) -> None:
    backend = make()
    await backend.load()

    async def typed() -> AsyncIterator[str]:
        yield "Đây là câu 1. Và đây "
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await synthesize(backend, SynthesisRequest(text=typed()))
    await check_speaks(backend)


async def test_health_shows_device_and_uptime(make: Make, clock: FakeClock) -> None:
    backend = make(clock=clock)
    assert (await backend.health()).engine is None
    await backend.load()
    await clock.advance(12.0)

    health = await backend.health()

    assert (health.engine, health.model, health.accelerator) == ("tone", "sine", "Tuning Fork")
    assert (health.gpu_memory_used_gb, health.gpu_memory_total_gb) == (0.25, 1.0)
    assert health.uptime_s == pytest.approx(12.0)


async def test_the_sample_rate_is_that_of_the_engine(make: Make) -> None:
    backend = make(sample_rate_hz=48_000)
    await backend.load()

    speech = await say(backend, *TWO)

    assert speech.sample_rate_hz == 48_000
    assert same(heard(speech.pcm, 48_000), [expected(s) for s in TWO])


async def spoken_with(backend: LocalBackend, **fields: str) -> str:
    speech = await synthesize(backend, SynthesisRequest(text="Xin chào.", **fields))  # type: ignore[arg-type]
    return speech.speakers[0].voice


async def test_the_default_voice_speaks_what_names_no_voice(make: Make) -> None:
    backend = make(default_voice="en-low")
    await backend.load()

    assert (await backend.health()).missing_voice is None
    assert [voice.id for voice in await backend.voices()] == ["en-low", "vi-low", "vi-high"]
    assert await spoken_with(backend) == "en-low"
    assert await spoken_with(backend, voice="vi-high") == "vi-high"


async def test_a_default_voice_that_is_missing_is_told_and_silences_nobody(make: Make) -> None:
    backend = make(default_voice="ba-ngoai")
    assert (await backend.health()).missing_voice is None, "nothing is known before it is loaded"
    await backend.load()

    assert (await backend.health()).missing_voice == "ba-ngoai"
    assert await spoken_with(backend) == "vi-low"
    assert await spoken_with(backend, language="en-GB") == "en-low"
    with pytest.raises(VoiceNotFoundError, match="vi-low, vi-high, en-low"):
        await spoken_with(backend, voice="ba-ngoai")


async def test_an_added_voice_may_be_the_default_while_it_is_there(
    make: Make, tmp_path: Path
) -> None:
    added = VoiceCatalogue(tmp_path)
    clip = ReferenceAudio(pcm=b"\1\0" * 48_000, sample_rate_hz=16_000, transcript="Xin chào.")
    added.add("Bà Ngoại", clip)
    backend = make(voices=added, default_voice="ba-ngoai", clones=True)
    fixed = make(voices=added, default_voice="ba-ngoai")
    await backend.load()
    await fixed.load()

    assert (await backend.health()).missing_voice is None
    assert (await backend.voices())[0].id == "ba-ngoai"
    assert await spoken_with(backend) == "ba-ngoai"
    with pytest.raises(VoiceNotFoundError, match="ba-ngoai, vi-low"):
        await spoken_with(backend, voice="ba-noi")
    assert (await fixed.health()).missing_voice == "ba-ngoai", "its engine does not clone"
    assert await spoken_with(fixed) == "vi-low"

    added.remove("ba-ngoai")
    assert (await backend.health()).missing_voice == "ba-ngoai"
    assert await spoken_with(backend) == "vi-low"
