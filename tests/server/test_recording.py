"""Recordings and frames on their own: what no client can bring about at will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from server_site import decode_frames
from waiting import until

from vieneu_colab_server.disconnect import ClientGoneError, while_connected
from vieneu_colab_server.idempotency import Recorder
from vieneu_colab_server.recording import Reader, ReplayLimits
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_colab_server.streaming_response import MAX_PCM_PAYLOAD, FrameWriter
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import StreamInterruptedError, UnpronounceableError
from vieneu_core.wire.framing import FrameDecoder, FrameType

RATE = 24_000
SPEAKER = Speaker(backend="local", engine="tone", voice="a")
FALLBACK = Speaker(backend="local", engine="espeak", voice="b", fallback=True)


def chunk(n_samples: int, sentence: int = 0, *, final: bool = False) -> AudioChunk:
    return AudioChunk(bytes(2 * n_samples), RATE, sentence, SPEAKER, final=final)


def recorder(**limits: float) -> Recorder:
    queue = SpeechQueue(max_waiting=8, max_running=1, retry_after_s=1.0)
    return Recorder(queue, ReplayLimits(**limits))  # type: ignore[arg-type]  # sizes are whole


async def speech(*chunks: AudioChunk) -> AsyncGenerator[AudioChunk, None]:
    for one in chunks:
        yield one


async def all_of(reader: Reader) -> list[AudioChunk]:
    return [one async for one in reader.chunks()]


async def test_speech_without_a_sample_is_no_speech() -> None:
    speech_service = recorder()
    reader = speech_service.attach("a", b"", lambda: speech(chunk(0, final=True)))

    with pytest.raises(UnpronounceableError):
        await reader.first_audio()
    reader.close()
    reader.close()
    await speech_service.aclose()


async def test_no_speech_at_all_is_an_error() -> None:
    speech_service = recorder()
    reader = speech_service.attach("a", b"", speech)

    with pytest.raises(StreamInterruptedError):
        await all_of(reader)
    await speech_service.aclose()


async def test_the_end_of_the_server_ends_every_recording() -> None:
    speech_service = recorder()
    hold = asyncio.Event()

    async def endless() -> AsyncGenerator[AudioChunk, None]:
        yield chunk(10)
        await hold.wait()

    running, waiting = (speech_service.attach(key, b"", endless) for key in "ab")
    await running.first_audio()
    await speech_service.aclose()

    for reader in (running, waiting):
        with pytest.raises(Exception, match="stopping"):
            await all_of(reader)
    assert speech_service.n_bytes == 0


async def test_a_task_cancelled_from_outside_is_an_interrupted_stream() -> None:
    speech_service = recorder()
    hold = asyncio.Event()

    async def endless() -> AsyncGenerator[AudioChunk, None]:
        yield chunk(10)
        await hold.wait()

    reader = speech_service.attach("a", b"", endless)
    await reader.first_audio()
    (task,) = speech_service._tasks
    task.cancel()

    with pytest.raises(StreamInterruptedError):
        await all_of(reader)
    await speech_service.aclose()


async def test_a_reader_that_comes_while_much_is_held_hears_the_beginning_or_new_speech() -> None:
    speech_service = recorder(max_recording_bytes=1_000, grace_s=0.01)
    made = []

    def speak() -> AsyncGenerator[AudioChunk, None]:
        made.append(1)
        return speech(*(chunk(300) for _ in range(9)), chunk(0, final=True))

    first = speech_service.attach("a", b"", speak)
    heard = first.chunks()
    for _ in range(4):
        await anext(heard)
    second = speech_service.attach("a", b"", speak)
    await until(lambda: len(made) >= 1)
    rest = [one async for one in heard]
    first.close()

    assert len(rest) == 6
    assert len(await all_of(second)) == 10
    assert len(made) == 2, "the beginning of the first one was gone"
    second.close()
    await speech_service.aclose()


async def test_the_faster_of_two_readers_waits_for_the_slower_one() -> None:
    speech_service = recorder(max_recording_bytes=1_000)
    chunks = [*(chunk(100, final=False) for _ in range(9)), chunk(0, final=True)]
    readers = [speech_service.attach("a", b"", lambda: speech(*chunks)) for _ in range(2)]

    fast = asyncio.ensure_future(all_of(readers[0]))
    await until(lambda: readers[0].position == 5)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not fast.done()

    assert await all_of(readers[1]) == await fast == chunks
    for reader in readers:
        reader.close()
    await speech_service.aclose()


async def test_when_the_slower_of_two_readers_leaves_the_faster_one_goes_on() -> None:
    speech_service = recorder(max_recording_bytes=1_000)
    chunks = [*(chunk(100) for _ in range(9)), chunk(0, final=True)]
    fast, slow = (speech_service.attach("a", b"", lambda: speech(*chunks)) for _ in range(2))

    hearing = asyncio.ensure_future(all_of(fast))
    await until(lambda: fast.position == 5)
    slow.close()

    assert await hearing == chunks
    fast.close()
    await speech_service.aclose()


@pytest.mark.parametrize("opus", [False, True])
def test_a_sentence_begun_again_by_a_stand_in_is_a_sentence_of_its_own(opus: bool) -> None:
    writer = FrameWriter("id", opus=opus)
    data = writer.write(AudioChunk(bytes(4_800), RATE, 0, SPEAKER))
    data += writer.write(AudioChunk(bytes(9_600), RATE, 0, FALLBACK))
    data += writer.write(AudioChunk(b"", RATE, 0, FALLBACK, final=True))
    data += writer.end()

    got = decode_frames(data, opus=opus)

    assert [start.stand_in for start in got.starts] == [False, True]
    assert (got.n_stated, len(got.sentences[1])) == (1, 9_600)


def test_a_very_long_chunk_is_several_frames() -> None:
    writer = FrameWriter("id", opus=False)
    pcm = bytes(2 * MAX_PCM_PAYLOAD + 2)

    data = writer.write(AudioChunk(pcm, RATE, 0, SPEAKER, final=True)) + writer.end()

    audio = [f.payload for f in FrameDecoder().feed(data) if f.type is FrameType.AUDIO]
    assert [len(payload) for payload in audio] == [MAX_PCM_PAYLOAD, MAX_PCM_PAYLOAD, 2]


async def test_what_is_left_of_a_body_is_not_taken_for_the_end_of_the_client() -> None:
    messages = ["http.request", "http.disconnect"]

    async def receive() -> dict[str, str]:
        return {"type": messages.pop(0)}

    with pytest.raises(ClientGoneError):
        await while_connected(receive, asyncio.Event().wait())
    assert messages == []


async def test_a_reader_that_takes_nothing_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is stored for it is bounded; beyond that nothing is made, and its time does not run."""
    queue = SpeechQueue(max_waiting=0, max_running=1, retry_after_s=1.0)
    speech_service = Recorder(queue, ReplayLimits(max_recording_bytes=1_000))
    chunks = [*(chunk(300) for _ in range(9)), chunk(0, final=True)]
    slow = speech_service.attach("a", b"", lambda: speech(*chunks))
    await slow.first_audio()
    await until(lambda: not queue._running)
    loop = asyncio.get_running_loop()
    later_s = loop.time() + 1_000.0
    monkeypatch.setattr(loop, "time", lambda: later_s)
    await asyncio.sleep(0)

    other = speech_service.attach("b", b"", lambda: speech(chunk(10, final=True)))
    assert [one.n_samples for one in await all_of(other)] == [10]
    assert [one.n_samples for one in await all_of(slow)] == [300] * 9 + [0]
    assert queue.depth == 0
    for reader in (slow, other):
        reader.close()
    await speech_service.aclose()
