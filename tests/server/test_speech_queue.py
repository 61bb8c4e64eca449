"""Who waits, who is refused, and how soon a client is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from fake_clock import FakeClock
from server_site import Site, serving
from waiting import until

from vieneu_colab_server.speech_demand import Demand
from vieneu_colab_server.speech_queue import SpeechQueue, Ticket
from vieneu_colab_server.speech_service import answer_by_s
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import BackendBusyError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


def ask(site: Site, text: str) -> asyncio.Task[int]:
    """Have a text spoken; the answer is read to its end."""

    async def asking() -> int:
        async with site.post("/tts/synthesize", json={"text": text}) as response:
            await response.read()
            return response.status

    return asyncio.create_task(asking())


async def test_requests_are_spoken_one_after_the_other_in_their_order() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold)])

    async with serving(backend, max_concurrent=1) as site:
        answers: list[asyncio.Task[int]] = []
        for number in range(5):
            answers.append(ask(site, f"câu {number}"))
            await until(lambda: site.service.queue.depth == len(answers))
        assert len(backend.record.begun) == 1
        async with site.get("/health") as response:
            assert (await response.json())["queue_depth"] == 5
        hold.set()
        statuses = await asyncio.gather(*answers)

    assert statuses == [200] * 5
    assert [request.text for request in backend.record.requests] == [f"câu {n}" for n in range(5)]


async def test_a_full_queue_says_so_at_once() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold)])

    async with serving(backend, max_concurrent=1, max_queue=1, retry_after_s=3.2) as site:
        answers = [ask(site, "một"), ask(site, "hai")]
        await until(lambda: site.service.queue.depth == 2)
        async with site.post("/tts/stream", json={"text": "ba"}) as response:
            problem = await site.problem(response)
        hold.set()
        statuses = [await answer for answer in answers]

    assert (response.status, problem.code, problem.retry_after_s) == (503, "busy", 3.2)
    assert response.headers["Retry-After"] == "4"
    assert statuses == [200, 200]


async def test_more_than_one_may_be_spoken_at_once() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold), ScriptStep(hold=hold), ScriptStep(hold=hold)])

    async with serving(backend, max_concurrent=2, max_queue=1) as site:
        answers = [ask(site, "một"), ask(site, "hai"), ask(site, "ba")]
        await until(lambda: site.service.queue.depth == 3)
        await until(lambda: backend.in_flight == 2)
        hold.set()
        assert [await answer for answer in answers] == [200] * 3


async def test_a_client_in_a_hurry_is_told_that_its_turn_did_not_come() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold)])

    async with serving(backend, max_concurrent=1, replay_grace_s=0.01) as site:
        first = ask(site, "một")
        await until(lambda: backend.record.begun)
        async with site.post(
            "/tts/stream", json={"text": "hai", "first_audio_within_s": 0.1}
        ) as response:
            problem = await site.problem(response)
        await until(lambda: site.service.queue.depth == 1)
        hold.set()
        await first

    assert (response.status, problem.code) == (503, "busy")
    assert len(backend.record.requests) == 1, "what nobody waits for is not spoken"


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [(BackendState.READY, 504, "first_byte_timeout"), (BackendState.LOADING, 503, "loading")],
)
async def test_a_client_in_a_hurry_is_told_that_the_engine_is_slow_or_loading_again(
    state: BackendState, status: int, code: str
) -> None:
    backend = ScriptedBackend([ScriptStep(hold=asyncio.Event())])

    async with serving(backend, replay_grace_s=0.01) as site:
        backend.reported = Health(state=state)
        async with site.post(
            "/tts/stream", json={"text": "một", "first_audio_within_s": 0.1}
        ) as response:
            problem = await site.problem(response)

    assert (response.status, problem.code) == (status, code)


@pytest.mark.parametrize(("within_s", "answer_s"), [(5.0, 4.5), (1.0, 0.8), (0.1, 0.08)])
def test_the_answer_is_given_shortly_before_the_client_gives_up(
    within_s: float, answer_s: float
) -> None:
    assert answer_by_s(within_s) == pytest.approx(answer_s)


async def test_a_place_is_given_back_once_however_often_it_is_left() -> None:
    queue = SpeechQueue(max_waiting=0, max_running=1, retry_after_s=1.0)
    ticket = queue.enter()
    await ticket.turn()

    ticket.leave()
    ticket.leave()

    assert queue.depth == 0
    again = queue.enter()
    await asyncio.wait_for(again.turn(), 1)
    again.leave()


SPEAKER = Speaker(backend="local", engine="tone", voice="a")
READING = Demand(speech_s=300.0, first_s=5.0, within_s=4.0)
ANNOUNCEMENT = Demand(speech_s=3.0, first_s=3.0, within_s=4.0)


def queue_of(clock: FakeClock, *, max_running: int = 4, max_waiting: int = 8) -> SpeechQueue:
    return SpeechQueue(
        max_waiting=max_waiting, max_running=max_running, retry_after_s=2.0, clock=clock
    )


def audio(seconds: float, speaker: Speaker = SPEAKER) -> AudioChunk:
    return AudioChunk(bytes(2 * round(1_000 * seconds)), 1_000, 0, speaker)


async def spoken(ticket: Ticket, clock: FakeClock, *, seconds: float, took_s: float) -> None:
    """Let the engine make audio of a ticket; each second of it by itself."""
    for _ in range(round(seconds)):
        await clock.advance(took_s / seconds)
        ticket.made(audio(1.0))


async def test_on_a_fast_engine_readings_run_side_by_side_on_a_slow_one_they_wait(
    clock: FakeClock,
) -> None:
    for rate, runs in ((4.0, True), (1.2, False)):
        queue = queue_of(clock)
        reading = queue.enter(READING)
        await spoken(reading, clock, seconds=12.0, took_s=12.0 / rate)

        other = queue.enter(Demand(speech_s=300.0, first_s=5.0))

        assert other.called.is_set() is runs
        reading.leave()
        assert other.called.is_set()


async def test_before_anything_is_known_a_second_reading_waits_until_it_can_keep_up(
    clock: FakeClock,
) -> None:
    queue = queue_of(clock)
    reading, other = queue.enter(READING), queue.enter(READING)
    assert reading.called.is_set()
    assert not other.called.is_set()

    await spoken(reading, clock, seconds=10.0, took_s=2.0)

    assert other.called.is_set(), "the engine turned out to be fast"


async def test_an_announcement_runs_beside_a_reading_on_an_engine_that_just_keeps_up(
    clock: FakeClock,
) -> None:
    queue = queue_of(clock)
    reading = queue.enter(READING)
    await spoken(reading, clock, seconds=30.0, took_s=28.0)

    assert queue.enter(ANNOUNCEMENT).called.is_set()


async def test_no_more_than_the_limit_run_however_fast_the_engine_is(clock: FakeClock) -> None:
    queue = queue_of(clock, max_running=2)
    tickets = [queue.enter(ANNOUNCEMENT) for _ in range(4)]
    assert [ticket.called.is_set() for ticket in tickets] == [True, True, False, False]
    assert queue.depth == 4

    tickets[1].leave()

    assert [ticket.called.is_set() for ticket in tickets] == [True, True, True, False]
    assert queue.depth == 3


async def test_a_short_announcement_passes_waiting_readings_but_not_for_ever(
    clock: FakeClock,
) -> None:
    queue = queue_of(clock, max_running=1)
    running, reading = queue.enter(), queue.enter(Demand(speech_s=300.0))
    await clock.advance(20.0)
    announcement = queue.enter(Demand(speech_s=3.0))
    await clock.advance(40.0)
    late = queue.enter(Demand(speech_s=3.0))

    order = []
    for leaving in (running, announcement, reading):
        leaving.leave()
        order.append([t for t in (announcement, reading, late) if t.called.is_set()][-1])

    assert order == [announcement, reading, late]


async def test_one_whose_first_audio_would_come_too_late_is_refused_at_once(
    clock: FakeClock,
) -> None:
    queue = queue_of(clock, max_running=2)
    reading = queue.enter(READING)
    await spoken(reading, clock, seconds=12.0, took_s=10.0)

    with pytest.raises(BackendBusyError, match="would not come in time") as caught:
        queue.enter(READING)
    assert caught.value.retry_after_s == 2.0
    assert queue.depth == 1
    assert queue.enter(ANNOUNCEMENT).called.is_set(), "that one has time"
    with pytest.raises(BackendBusyError):
        queue.enter(ANNOUNCEMENT)
    patient = queue.enter(Demand(speech_s=3.0, first_s=3.0))
    assert not patient.called.is_set()


async def test_the_wait_counts_the_first_sentences_of_all_before_it(clock: FakeClock) -> None:
    queue = queue_of(clock, max_running=8)
    warm = queue.enter(ANNOUNCEMENT)
    await spoken(warm, clock, seconds=9.0, took_s=3.0)
    warm.leave()
    two = Demand(speech_s=3.0, first_s=3.0, within_s=1.9)

    for _ in range(2):
        assert queue.enter(two).called.is_set()
    with pytest.raises(BackendBusyError):  # 6 s of speech at three times real time: 2 s
        queue.enter(two)


async def test_a_replay_and_a_fallback_say_nothing_about_the_rate(clock: FakeClock) -> None:
    queue = queue_of(clock)
    reading = queue.enter(READING)
    await spoken(reading, clock, seconds=12.0, took_s=10.0)
    for speaker in (replace(SPEAKER, cached=True), replace(SPEAKER, fallback=True)):
        reading.made(audio(60.0, speaker))

    with pytest.raises(BackendBusyError):
        queue.enter(Demand(speech_s=300.0, first_s=3.0, within_s=0.1))


async def test_a_text_that_is_being_written_says_nothing_about_the_rate(clock: FakeClock) -> None:
    queue = queue_of(clock)
    dictated = queue.enter(Demand())
    await spoken(dictated, clock, seconds=12.0, took_s=120.0)

    assert queue.enter(Demand(speech_s=3.0, first_s=3.0, within_s=0.1)).called.is_set()
    dictated.leave()
    assert queue.depth == 1


async def test_a_client_is_refused_at_once_over_http(clock: FakeClock) -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold, at_sentence=3)])

    async with serving(backend, clock=clock) as site:
        reading = ask(site, "Đây là một câu khá dài để đọc. " * 100)
        await until(lambda: site.service.queue._running)
        (ticket,) = site.service.queue._running
        await until(lambda: len(backend.record.begun) == 4)
        await clock.advance(1_000.0)  # the engine has become slow
        ticket.made(audio(0.0))
        async with site.post(
            "/tts/stream", json={"text": "Đọc dài. " * 100, "first_audio_within_s": 20_000}
        ) as response:
            problem = await site.problem(response)
        assert (response.status, problem.code) == (503, "busy")
        assert not reading.done()
        hold.set()
        assert await reading == 200
