"""A text that is still being written, or audio that is not taken, keeps nobody else waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from fake_clock import FakeClock
from waiting import until

from vieneu_colab_server.client_pauses import ClientPauses
from vieneu_colab_server.speaking_deadline import speaking_deadline
from vieneu_colab_server.speech_demand import Demand
from vieneu_colab_server.speech_queue import SpeechQueue, Ticket
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.synthesis import SynthesisRequest

ANNOUNCEMENT = Demand(speech_s=3.0, first_s=3.0, within_s=4.0)
TWO_SECONDS = AudioChunk(
    bytes(2 * 2 * 24_000), 24_000, 0, Speaker(backend="local", engine="tone", voice="a")
)


async def test_an_announcement_begins_at_once_while_a_writer_pauses() -> None:
    clock = FakeClock()
    queue = SpeechQueue(max_waiting=8, max_running=4, retry_after_s=1.0, clock=clock)
    written = queue.enter(Demand())
    written.made(TWO_SECONDS)
    await clock.advance(60)
    announcement = queue.enter(ANNOUNCEMENT)
    assert announcement.called.is_set()


READING = Demand(speech_s=300.0, first_s=5.0)


def queue_of(clock: FakeClock, *, max_running: int = 4, max_waiting: int = 8) -> SpeechQueue:
    return SpeechQueue(
        max_waiting=max_waiting, max_running=max_running, retry_after_s=1.0, clock=clock
    )


def paused(queue: SpeechQueue, demand: Demand) -> Ticket:
    ticket = queue.enter(demand)
    ticket.pause()
    return ticket


async def test_an_announcement_begins_at_once_however_many_clients_are_waited_for() -> None:
    for demand in (Demand(), READING):
        clock = FakeClock()
        queue = queue_of(clock, max_running=2, max_waiting=2)
        for _ in range(6):
            assert paused(queue, demand).called.is_set()
        await clock.advance(60)

        assert queue.enter(ANNOUNCEMENT).called.is_set()
        assert queue.depth == 7, "they are still counted where the load is shown"


async def test_pieces_that_have_come_already_let_nobody_else_begin() -> None:
    queue = queue_of(FakeClock(), max_running=1)
    ticket, other = queue.enter(Demand()), queue.enter(Demand())

    async def pieces() -> AsyncGenerator[str, None]:
        for n in range(3):
            yield f"Đây là câu {n}. "
        assert not other.called.is_set()
        await asyncio.Event().wait()

    async with speaking_deadline(300.0) as deadline:
        pauses = ClientPauses(ticket, deadline)
        request = pauses.watched(SynthesisRequest(text=pieces()))
        assert isinstance(request.text, AsyncIterator)
        for _ in range(3):
            await anext(request.text)
            assert not other.called.is_set()
        halted = asyncio.ensure_future(anext(request.text))
        await until(other.called.is_set)
        halted.cancel()
        await asyncio.wait({halted})


async def test_an_announcement_that_waits_begins_when_a_writer_pauses() -> None:
    queue = queue_of(FakeClock(), max_running=2)
    first, second = queue.enter(Demand()), queue.enter(Demand())
    announcement = queue.enter(ANNOUNCEMENT)
    assert not announcement.called.is_set()

    first.pause()
    assert announcement.called.is_set()
    assert second.called.is_set()


async def test_who_goes_on_takes_the_place_back_at_once_and_nobody_else_begins() -> None:
    queue = queue_of(FakeClock(), max_running=1)
    writer = paused(queue, Demand())
    announcement = queue.enter(ANNOUNCEMENT)
    writer.resume()
    writer.resume()
    other = queue.enter(ANNOUNCEMENT)

    announcement.leave()
    assert not other.called.is_set(), "the writer has the place"
    writer.leave()
    assert other.called.is_set()
    assert queue.depth == 1


async def test_one_that_waits_for_its_turn_or_has_left_cannot_pause() -> None:
    queue = queue_of(FakeClock(), max_running=1)
    running, waiting = queue.enter(ANNOUNCEMENT), queue.enter(ANNOUNCEMENT)
    waiting.pause()
    waiting.resume()
    assert not waiting.called.is_set()

    running.pause()
    running.leave()
    running.resume()
    assert waiting.called.is_set()
    assert queue.depth == 1


async def test_a_reader_that_paused_is_not_late_and_says_nothing_about_the_rate() -> None:
    """Its unread audio lasted; so an announcement need not wait until it has caught up."""
    clock = FakeClock()
    queue = queue_of(clock)
    reading = queue.enter(READING)
    for _ in range(10):
        await clock.advance(0.5)
        reading.made(TWO_SECONDS)
    reading.pause()
    await clock.advance(600)
    reading.resume()

    assert queue.enter(ANNOUNCEMENT).called.is_set()
