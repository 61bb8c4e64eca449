"""Size and time limits of a request body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from server_site import TOKEN, Site, serving
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from vieneu_colab_server.middleware.body_limit import BodyLimit
from vieneu_core.testing.scripted import ScriptedBackend


async def endless(n_chunks: int) -> AsyncIterator[bytes]:
    for _ in range(n_chunks):
        yield b" " * 1_000


@pytest.mark.parametrize("n_bytes", [2_000, 2_001, 100_000])
async def test_a_body_of_a_declared_size(backend: ScriptedBackend, n_bytes: int) -> None:
    async with serving(backend, max_body_bytes=2_000) as site:
        body = b'{"text": "a"}'.ljust(n_bytes)
        json = {"Content-Type": "application/json"}
        async with site.post("/tts/synthesize", data=body, headers=json) as response:
            if n_bytes <= 2_000:
                assert response.status == 200
            else:
                assert (await site.problem(response)).code == "body_too_large"
                assert response.status == 413


async def test_an_object_of_too_many_keys_is_refused_before_it_is_validated(
    backend: ScriptedBackend,
) -> None:
    many = dict.fromkeys(map(str, range(60_000)))
    async with serving(backend) as site:
        for body in ({"text": "a", **many}, {"text": "a", "b": [many]}):
            async with site.post("/tts/synthesize", json=body) as response:
                problem = await site.problem(response)
                assert (response.status, problem.code) == (422, "invalid_request")
                assert "more than 1000 keys" in problem.detail

    assert backend.record.requests == []


async def test_a_body_that_states_no_size_is_cut_off_where_it_is_too_large(
    backend: ScriptedBackend,
) -> None:
    async with serving(backend, max_body_bytes=2_000) as site:
        json = {"Content-Type": "application/json"}
        async with site.post("/tts/stream", data=endless(50), headers=json) as response:
            assert "Content-Length" not in response.request_info.headers
            assert (await site.problem(response)).code == "body_too_large"

    assert backend.record.requests == []


async def test_a_body_that_does_not_arrive_is_not_waited_for(backend: ScriptedBackend) -> None:
    async with serving(backend, body_timeout_s=0.05) as site:
        answer = await send_raw(site, b"Content-Length: 100\r\n\r\n{")

    assert b" 422 " in answer
    assert b"did not arrive" in answer


async def test_a_slow_client_has_more_time_for_a_large_body() -> None:
    arrived: list[bytes] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        arrived.append((await receive())["body"])

    parts = [(0.0, 100_000), *[(0.4, 50_000)] * 3]

    async def receive() -> Message:
        pause_s, n_bytes = parts.pop(0)
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": bytes(n_bytes), "more_body": bool(parts)}

    async def send(_: Message) -> None:
        pytest.fail("it was refused")

    limit = BodyLimit(app, max_bytes=300_000, timeout_s=1.0, max_total_bytes=300_000)
    await limit({"type": "http", "path": "/", "headers": []}, receive, send)

    assert [len(body) for body in arrived] == [250_000]


@pytest.mark.parametrize("stated", [True, False])
async def test_memory_for_a_whole_body_is_reserved_before_it_is_read(stated: bool) -> None:
    arrived: list[int] = []
    begun, rest = asyncio.Event(), asyncio.Event()

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        arrived.append(len((await receive())["body"]))

    async def slowly() -> Message:
        if begun.is_set():
            await rest.wait()
            return {"type": "http.request", "body": bytes(100_000), "more_body": False}
        begun.set()
        return {"type": "http.request", "body": bytes(100_000), "more_body": True}

    async def at_once() -> Message:
        return {"type": "http.request", "body": bytes(200_000), "more_body": False}

    answers: list[Message] = []

    async def send(message: Message) -> None:
        answers.append(message)

    headers = [(b"content-length", b"200000")] if stated else []
    limit = BodyLimit(app, max_bytes=250_000, timeout_s=9, max_total_bytes=350_000, reserves=True)
    scope = {"type": "http", "path": "/", "method": "POST", "headers": headers, "app": Starlette()}
    first = asyncio.create_task(limit(scope, slowly, send))
    await begun.wait()
    assert answers == []

    await limit(scope, at_once, send)
    assert answers[0]["status"] == 503
    assert b"retry-after" in dict(answers[0]["headers"])
    assert arrived == []
    rest.set()
    await first
    await limit(scope, at_once, send)
    assert arrived == [200_000, 200_000]


async def test_a_client_that_falls_silent_is_not_waited_for_whatever_has_arrived() -> None:
    answered = asyncio.Event()
    parts = [bytes(200_000)]

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        pytest.fail("the body is not whole")

    async def receive() -> Message:
        if not parts:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": parts.pop(), "more_body": True}

    async def send(_: Message) -> None:
        answered.set()

    limit = BodyLimit(app, max_bytes=300_000, timeout_s=0.05, max_total_bytes=300_000)
    scope = {"type": "http", "path": "/", "method": "POST", "headers": [], "app": Starlette()}
    async with asyncio.timeout(3.0):
        await limit(scope, receive, send)
    assert answered.is_set()


async def test_a_client_that_leaves_while_sending_its_body_leaves_nothing(site: Site) -> None:
    _, writer = await asyncio.open_connection(*site.address)
    writer.write(
        b"POST /tts/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    async with site.get("/health") as response:
        assert (await response.json())["queue_depth"] == 0


async def send_raw(site: Site, rest: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*site.address)
    try:
        writer.write(
            b"POST /tts/stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n"
        )
        writer.write(rest)
        return await reader.readuntil(b"}")
    finally:
        writer.close()
        await writer.wait_closed()
