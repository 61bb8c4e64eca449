"""Speech through the queue that all clients of a server share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from tone_engine import expected, heard, same
from waiting import until
from wyoming.tts import Synthesize
from wyoming_site import reply, say_whole, serving_wyoming

from vieneu_colab_server.relay.wyoming.queued_speech import QueuedSpeech
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import BackendLoadingError, DeadlineExceededError, SynthesisFailedError
from vieneu_core.synthesis import Speech, SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = tuple(f"Đây là câu {n}." for n in range(4))
TEXT = " ".join(SENTENCES)


def queue(max_waiting: int = 8) -> SpeechQueue:
    return SpeechQueue(max_waiting=max_waiting, max_running=1, retry_after_s=1.0)


async def test_a_full_queue_is_an_error_and_the_next_request_is_spoken(
    backend: ScriptedBackend,
) -> None:
    hold = asyncio.Event()
    backend.script = [ScriptStep(hold=hold)]
    speak = QueuedSpeech(backend.stream, queue(max_waiting=0))
    async with (
        serving_wyoming(backend, speak=speak) as site,
        site.client() as first,
        site.client() as second,
    ):
        await first.write_event(Synthesize(text=SENTENCES[0]).event())
        await until(lambda: backend.in_flight)
        refused = await say_whole(second, SENTENCES[1])
        hold.set()
        await reply(first)

        assert refused.types == ["error"]
        assert refused.code == "busy"
        assert same((await say_whole(second, SENTENCES[1])).tones, [expected(SENTENCES[1])])


async def test_requests_wait_for_their_turn_and_one_that_leaves_is_not_spoken(
    backend: ScriptedBackend,
    no_leaks: None,  # noqa: ARG001 - it looks afterwards
) -> None:
    hold, line = asyncio.Event(), queue()
    backend.script = [ScriptStep(hold=hold)]
    speak = QueuedSpeech(backend.stream, line)
    async with serving_wyoming(backend, speak=speak) as site, site.client() as first:
        await first.write_event(Synthesize(text=SENTENCES[0]).event())
        await until(lambda: backend.in_flight)
        async with site.client() as second:
            await second.write_event(Synthesize(text=SENTENCES[1]).event())
            await until(lambda: line.depth == 2)
        await until(lambda: line.depth == 1)
        hold.set()
        assert same((await reply(first)).tones, [expected(SENTENCES[0])])
    assert [request.text for request in backend.record.requests] == [SENTENCES[0]]
    assert line.depth == 0


async def test_a_slow_reader_does_not_keep_others_waiting(backend: ScriptedBackend) -> None:
    speak, request = QueuedSpeech(backend.stream, queue()), SynthesisRequest(text=TEXT)
    async with backend:
        slow = speak(request)
        first = await anext(slow)
        other = await collect(speak(SynthesisRequest(text=SENTENCES[0])))
        rest = [chunk async for chunk in slow]

    assert same(heard(other.pcm, other.sample_rate_hz), [expected(SENTENCES[0])])
    pcm = b"".join(chunk.pcm for chunk in (first, *rest))
    assert same(heard(pcm, first.sample_rate_hz), [expected(sentence) for sentence in SENTENCES])


async def test_only_so_much_is_made_ahead_of_a_slow_reader(backend: ScriptedBackend) -> None:
    speak = QueuedSpeech(backend.stream, queue(), max_ahead_bytes=10_000)
    async with backend:
        slow = speak(SynthesisRequest(text=TEXT))
        await anext(slow)
        for _ in range(100):
            await asyncio.sleep(0)
        assert backend.record.begun == [SENTENCES[0]]
        pcm = b"".join([chunk.pcm async for chunk in slow])

    assert len(heard(pcm, 24_000)) == len(SENTENCES)


async def test_closing_it_stops_the_synthesis_and_frees_the_queue(
    backend: ScriptedBackend,
) -> None:
    line = queue()
    backend.script = [ScriptStep(after_chunks=2, hold=asyncio.Event())]
    speak = QueuedSpeech(backend.stream, line)
    async with backend:
        chunks = speak(SynthesisRequest(text=TEXT))
        await anext(chunks)
        await chunks.aclose()

        assert (backend.in_flight, backend.record.closed_early, line.depth) == (0, 1, 0)


async def test_what_was_made_before_a_failure_is_delivered(backend: ScriptedBackend) -> None:
    line = queue()
    backend.script = [ScriptStep(at_sentence=1, error=SynthesisFailedError("No tone."))]
    got: list[AudioChunk] = []

    async def listen() -> None:
        async for chunk in QueuedSpeech(backend.stream, line)(SynthesisRequest(text=TEXT)):
            got.append(chunk)  # noqa: PERF401 - what came before the failure counts

    async with backend:
        with pytest.raises(SynthesisFailedError):
            await listen()

    assert same(heard(b"".join(c.pcm for c in got), 24_000), [expected(SENTENCES[0])])
    assert line.depth == 0


async def test_a_synthesis_without_end_is_ended(backend: ScriptedBackend) -> None:
    line = queue()
    backend.script = [ScriptStep(hold=asyncio.Event())]
    speak = QueuedSpeech(backend.stream, line, deadline_s=0.01)
    async with backend:
        with pytest.raises(DeadlineExceededError):
            await collect(speak(SynthesisRequest(text=TEXT)))

    assert (backend.in_flight, line.depth) == (0, 0)


async def test_a_server_that_takes_nothing_now_says_so() -> None:
    def check() -> None:
        raise BackendLoadingError("The model is being loaded.")

    async def speak(_: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        raise AssertionError
        yield

    line = queue()
    with pytest.raises(BackendLoadingError):
        await collect(QueuedSpeech(speak, line, check_accepting=check)(SynthesisRequest(text="a")))
    assert line.depth == 0


async def written(first: str, more: asyncio.Event, rest: str) -> AsyncGenerator[str, None]:
    """Write a text with a pause in it."""
    yield first
    await more.wait()
    yield rest


@pytest.mark.parametrize("begins", [f"{SENTENCES[0]} ", "Đây là "])
async def test_writers_that_pause_keep_nobody_waiting(
    backend: ScriptedBackend, begins: str
) -> None:
    """Whether a sentence was spoken before, or none is known yet."""
    line, more = queue(max_waiting=0), asyncio.Event()
    speak = QueuedSpeech(backend.stream, line)
    async with backend:
        slow: list[asyncio.Task[Speech]] = []
        for _ in range(3):
            text = written(begins, more, SENTENCES[1])
            slow.append(asyncio.create_task(collect(speak(SynthesisRequest(text=text)))))
            await until(lambda: not line._running and line.depth == len(slow))
        other = await collect(speak(SynthesisRequest(text=SENTENCES[2])))
        more.set()
        ends = await asyncio.gather(*slow)

    assert same(heard(other.pcm, other.sample_rate_hz), [expected(SENTENCES[2])])
    n_sentences = 2 if begins.startswith(SENTENCES[0]) else 1
    assert [len(heard(one.pcm, one.sample_rate_hz)) for one in ends] == [n_sentences] * 3
    assert line.depth == 0


async def test_a_writer_has_its_place_while_what_it_has_written_is_spoken(
    backend: ScriptedBackend,
) -> None:
    line, more, hold = queue(), asyncio.Event(), asyncio.Event()
    backend.script = [ScriptStep(after_chunks=2, hold=hold)]
    speak = QueuedSpeech(backend.stream, line)
    async with backend:
        chunks = speak(SynthesisRequest(text=written(f"{SENTENCES[0]} ", more, SENTENCES[1])))
        await anext(chunks)
        assert len(line._running) == 1
        other = asyncio.create_task(collect(speak(SynthesisRequest(text=SENTENCES[2]))))
        await until(lambda: line.depth == 2)
        assert backend.record.begun == [SENTENCES[0]]
        hold.set()
        await other
        more.set()
        assert [chunk.sentence async for chunk in chunks if chunk.final] == [0, 1]


async def test_a_reader_that_takes_nothing_keeps_nobody_waiting(backend: ScriptedBackend) -> None:
    line = queue(max_waiting=0)
    speak = QueuedSpeech(backend.stream, line, max_ahead_bytes=10_000)
    async with backend:
        slow = speak(SynthesisRequest(text=TEXT))
        first = await anext(slow)
        await until(lambda: not line._running)
        other = speak(SynthesisRequest(text=SENTENCES[0]))
        pcm = b"".join([chunk.pcm async for chunk in other])
        rest = b"".join([chunk.pcm async for chunk in slow])

    assert same(heard(pcm, 24_000), [expected(SENTENCES[0])])
    whole = heard(first.pcm + rest, first.sample_rate_hz)
    assert same(whole, [expected(sentence) for sentence in SENTENCES])
    assert line.depth == 0


async def test_the_deadline_counts_neither_the_writer_s_pauses_nor_the_reader_s(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, skipped_s = asyncio.get_running_loop(), [0.0]
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + skipped_s[0])
    line, more = queue(), asyncio.Event()
    speak = QueuedSpeech(backend.stream, line, max_ahead_bytes=10_000)
    async with backend:
        text = written(f"{SENTENCES[0]} ", more, " ".join(SENTENCES[1:]))
        chunks = speak(SynthesisRequest(text=text))
        got = [await anext(chunks)]
        for _ in range(3):  # the reader pauses, each time with a full buffer
            await until(lambda: not line._running)
            skipped_s[0] += 1_000.0
            await asyncio.sleep(0)
            got.append(await anext(chunks))
        while not got[-1].final:
            got.append(await anext(chunks))
        await until(lambda: not line._running)
        skipped_s[0] += 1_000.0  # the writer pauses
        await asyncio.sleep(0)
        more.set()
        got += [chunk async for chunk in chunks]

    pcm = b"".join(chunk.pcm for chunk in got)
    assert same(heard(pcm, 24_000), [expected(sentence) for sentence in SENTENCES])


async def test_the_deadline_ends_an_engine_that_hangs_after_pauses(
    backend: ScriptedBackend,
) -> None:
    line, more = queue(), asyncio.Event()
    backend.script = [ScriptStep(at_sentence=1, after_chunks=1, hold=asyncio.Event())]
    speak = QueuedSpeech(backend.stream, line, deadline_s=0.5)
    async with backend:
        chunks = speak(SynthesisRequest(text=written(f"{SENTENCES[0]} ", more, SENTENCES[1])))
        more.set()
        with pytest.raises(DeadlineExceededError):
            await collect(chunks)

    assert (backend.in_flight, line.depth) == (0, 0)
