"""Who waits, who is turned away, and how soon a client is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from server_site import Site, serving, until

from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_colab_server.speech_service import answer_by_s
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


def ask(site: Site, text: str, **fields: Any) -> asyncio.Future[Any]:
    body = {"text": text, **fields}
    return asyncio.ensure_future(site.session.post(site.url + "/tts/synthesize", json=body))


async def test_requests_are_spoken_one_after_the_other_in_their_order() -> None:
    hold = asyncio.Event()
    backend = ScriptedBackend([ScriptStep(hold=hold)])

    async with serving(backend, max_concurrent=1) as site:
        answers: list[asyncio.Future[Any]] = []
        for number in range(5):
            answers.append(ask(site, f"câu {number}"))
            await until(lambda: site.service.queue.depth == len(answers))
        assert len(backend.record.begun) == 1
        async with site.get("/health") as response:
            assert (await response.json())["queue_depth"] == 5
        hold.set()
        responses = await asyncio.gather(*answers)

    assert [response.status for response in responses] == [200] * 5
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
        statuses = [(await answer).status for answer in answers]

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
        assert [(await answer).status for answer in answers] == [200] * 3


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
