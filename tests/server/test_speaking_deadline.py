"""The deadline of a synthesis is about the synthesis, not about waiting for engine or client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from vieneu_colab_server.idempotency import Recorder
from vieneu_colab_server.recording import ReplayLimits
from vieneu_colab_server.speaking_deadline import SpeakingDeadline, speaking_deadline
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import BackendBusyError, DeadlineExceededError

SPEAKER = Speaker(backend="local", engine="tone", voice="a")
WAITING = AudioChunk(b"", 24_000, 0, SPEAKER, waiting=True)
TURN = AudioChunk(b"", 24_000, 0, SPEAKER)
AUDIO = AudioChunk(bytes(2_400), 24_000, 0, SPEAKER)
END = AudioChunk(b"", 24_000, 0, SPEAKER, final=True)


async def test_the_time_between_a_sign_of_waiting_and_the_turn_is_added() -> None:
    loop = asyncio.get_running_loop()
    timeout = asyncio.timeout(100.0)
    async with timeout:
        deadline, before = SpeakingDeadline(timeout), timeout.when()
        began = loop.time()
        deadline.heard(WAITING)
        for _ in range(3):
            await asyncio.sleep(0.01)
            deadline.heard(WAITING)
        deadline.heard(TURN)
        waited_s = loop.time() - began
        after = timeout.when()
        deadline.heard(AUDIO)

        assert before is not None
        assert after is not None
        assert 0.03 <= after - before <= waited_s
        assert timeout.when() == after, "audio adds nothing"


async def test_a_synthesis_that_takes_too_long_is_named() -> None:
    with pytest.raises(DeadlineExceededError, match=r"0\.01 s"):
        async with speaking_deadline(0.01):
            await asyncio.Event().wait()


async def test_a_request_whose_turn_on_the_engine_did_not_come_is_busy_and_no_timeout() -> None:
    hold = asyncio.Event()

    async def speech() -> AsyncGenerator[AudioChunk, None]:
        yield WAITING
        await hold.wait()
        for chunk in (AUDIO, END):
            yield chunk

    queue = SpeechQueue(max_waiting=1, max_running=1, retry_after_s=1.0)
    recorder = Recorder(queue, ReplayLimits())
    reader = recorder.attach("a", b"", speech)

    with pytest.raises(BackendBusyError):
        await reader.first_audio(0.05)
    hold.set()
    got = [chunk async for chunk in reader.chunks()]

    assert got == [AUDIO, END], "that it waited is no part of the speech"
    reader.close()
    await recorder.aclose()


class SkippingTime:
    """The time of the running loop, which a test puts forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self.now_s = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self.now_s)


async def test_a_pause_changes_nothing_but_the_time_of_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time = SkippingTime(monkeypatch)
    timeout = asyncio.timeout(100.0)
    async with timeout:
        deadline, ends_at_s = SpeakingDeadline(timeout), time.now_s + 100.0
        time.now_s += 30.0
        for _ in range(2):
            deadline.pause()
        time.now_s += 5_000.0
        await asyncio.sleep(0)
        assert timeout.when() is None
        for _ in range(2):
            deadline.resume()
        assert timeout.when() == pytest.approx(ends_at_s + 5_000.0)


async def test_a_pause_while_the_turn_is_awaited_is_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time = SkippingTime(monkeypatch)
    timeout = asyncio.timeout(100.0)
    async with timeout:
        deadline, ends_at_s = SpeakingDeadline(timeout), time.now_s + 100.0
        deadline.heard(WAITING)
        time.now_s += 2.0
        deadline.pause()
        time.now_s += 500.0
        deadline.resume()
        time.now_s += 3.0
        deadline.heard(TURN)
        assert timeout.when() == pytest.approx(ends_at_s + 505.0)


async def test_what_ends_after_the_synthesis_moves_no_deadline() -> None:
    async with speaking_deadline(100.0) as over:
        over.pause()
    over.resume()
    over.pause()

    with pytest.raises(DeadlineExceededError):
        await _pausing_once_it_has_passed()


async def _pausing_once_it_has_passed() -> None:
    async with speaking_deadline(0.01) as passed:
        try:
            await asyncio.Event().wait()
        finally:
            passed.pause()
            passed.resume()
