"""A client that never reads its answer holds neither memory nor a socket nor a place."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from server_site import TOKEN, Site, serving
from starlette.responses import FileResponse, Response, StreamingResponse
from tone_engine import expected, heard, same
from waiting import until

from vieneu_colab_server.app import AddedApi
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.routes import FRAMES_OPUS, FRAMES_PCM, STREAM, SYNTHESIZE

LARGE = 16 << 20
"""More than the buffers of the system take for a client that reads nothing."""
SENTENCES = [f"câu {n}." for n in range(250)]


def request(path: str, accept: str, *, version: str = "1.1", method: str = "POST") -> bytes:
    body = json.dumps({"text": SENTENCES}).encode() if method == "POST" else b""
    head = (
        f"{method} {path} HTTP/{version}\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nAccept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def never_reading(site: Site, n: int, sent: bytes) -> AsyncIterator[None]:
    """Send a request on each of some connections, and read nothing."""
    loop, opened = asyncio.get_running_loop(), []
    try:
        for _ in range(n):
            client = socket.socket()
            opened.append(client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)  # noqa: FBT003 - the name of a C function
            await loop.sock_connect(client, site.address)
            await loop.sock_sendall(client, sent)
        yield
    finally:
        for client in opened:
            client.close()


def large_answers(file: Path) -> AddedApi:
    """Return endpoints that answer with much, in each way that this server has."""
    router = APIRouter()

    @router.get("/large/body")
    async def body() -> Response:
        return Response(bytes(LARGE))

    @router.get("/large/file")
    async def of_file() -> FileResponse:
        return FileResponse(file)

    @router.get("/large/events")
    async def events() -> StreamingResponse:
        async def endless() -> AsyncGenerator[bytes, None]:
            while True:
                yield b"data: " + b"a" * 50_000 + b"\n\n"
                await asyncio.sleep(0)  # as one that waits for what has happened

        return StreamingResponse(endless(), media_type="text/event-stream")

    return AddedApi(routes=lambda _: router, prefix="/large/")


@pytest.mark.parametrize(
    "sent",
    [
        request(SYNTHESIZE, "application/json"),
        request(STREAM, FRAMES_PCM),
        request(STREAM, FRAMES_OPUS),
        request(STREAM, "audio/wav"),
        request(STREAM, "audio/wav", version="1.0"),
        request("/large/body", "*/*", method="GET"),
        request("/large/file", "*/*", method="GET"),
        request("/large/events", "*/*", method="GET"),
    ],
    ids=["json", "pcm", "opus", "wav", "wav-1.0", "body", "file", "events"],
)
async def test_its_connection_is_closed_and_what_it_held_is_free(
    sent: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "large.wav"
    file.write_bytes(bytes(LARGE))
    settings: dict[str, Any] = {
        "send_timeout_s": 0.3,
        "replay_keep_s": 0.1,
        "replay_grace_s": 0.1,
        "keep_alive_s": 1,
    }
    backend = ScriptedBackend(sample_rate_hz=48_000)

    async with (
        serving(backend, added=[large_answers(file)], **settings) as site,
        never_reading(site, 1 if FRAMES_OPUS.encode() in sent else 3, sent),  # encoding is slow
    ):
        state, recorder = site.server.server_state, site.service.recorder
        await until(lambda: state.connections)
        await until(lambda: not state.connections)
        await until(lambda: not state.tasks)
        await until(lambda: recorder.n_readers == 0 and recorder.n_bytes == 0)
        await until(lambda: site.service.queue.depth == 0)


async def test_a_whole_answer_that_nobody_reads_is_stored_once() -> None:
    backend = ScriptedBackend(sample_rate_hz=48_000)

    async with serving(backend, max_queue=0, max_concurrent=1) as site:
        recorder = site.service.recorder
        async with never_reading(site, 1, request(SYNTHESIZE, "application/json")):
            await until(lambda: recorder.n_readers == 1 and site.service.queue.depth == 0)
            held = recorder.n_bytes
            assert held > LARGE
        async with site.post(SYNTHESIZE, json={"text": SENTENCES}) as answer:
            samples = await answer.json()
        assert samples["duration_ms"] == round(held / 2 / 48), "no sample was copied or left out"


async def test_whole_answers_that_nobody_reads_are_bounded_together() -> None:
    backend = ScriptedBackend(sample_rate_hz=48_000)
    sent = request(SYNTHESIZE, "application/json")

    async with serving(backend, max_replay_bytes=LARGE, max_queue=20) as site:
        recorder = site.service.recorder
        async with never_reading(site, 1, sent):
            await until(lambda: recorder.n_bytes > LARGE and site.service.queue.depth == 0)
            async with site.post(SYNTHESIZE, json={"text": SENTENCES}) as answer:
                assert (await site.problem(answer)).code == "busy"


async def test_a_slow_reader_of_a_whole_answer_is_given_the_time_of_a_synthesis() -> None:
    backend = ScriptedBackend(sample_rate_hz=48_000)

    async with (
        serving(backend, deadline_s=1.0, send_timeout_s=200.0) as site,
        site.post(SYNTHESIZE, json={"text": SENTENCES}) as answer,
    ):
        assert answer.status == 200
        await until(lambda: site.service.recorder.n_readers == 0)


async def test_a_reader_that_takes_its_time_hears_everything(tmp_path: Path) -> None:
    file = tmp_path / "large.wav"
    file.write_bytes(bytes(range(256)) * (LARGE // 256))
    async with (
        serving(ScriptedBackend(), added=[large_answers(file)], send_timeout_s=2.0) as site,
        site.get("/large/file") as answer,
    ):
        got = 0
        while part := await answer.content.read(1 << 20):
            got += len(part)
            await asyncio.sleep(0.05)
        assert got == LARGE


async def test_speech_that_does_not_fit_into_one_answer_says_what_to_do() -> None:
    backend = ScriptedBackend()

    async with serving(backend, max_recording_bytes=100_000) as site:
        async with site.post(SYNTHESIZE, json={"text": SENTENCES}) as answer:
            problem = await site.problem(answer)
        await until(lambda: not backend.in_flight)

    assert problem.code == "text_too_long"
    assert STREAM in problem.remedy


async def test_an_old_client_is_refused_speech_that_cannot_be_held_for_it() -> None:
    backend = ScriptedBackend()

    async with serving(backend, max_recording_bytes=100_000) as site:
        reader, writer = await asyncio.open_connection(*site.address)
        writer.write(request(STREAM, "audio/wav", version="1.0"))
        answer = await reader.read()
        writer.close()
        await until(lambda: not backend.in_flight)

    assert b" 200 " not in answer.split(b"\r\n", 1)[0]
    assert b"text_too_long" in answer


async def test_those_whose_turn_comes_when_all_memory_is_held_are_refused() -> None:
    backend = ScriptedBackend(sample_rate_hz=48_000)
    sent = request(SYNTHESIZE, "application/json")

    async with serving(
        backend, max_replay_bytes=LARGE, max_concurrent=1, max_queue=20, requests_per_minute=100
    ) as site:
        recorder = site.service.recorder
        async with never_reading(site, 12, sent):
            await until(lambda: len(backend.record.requests) and not site.service.queue.depth)
            assert recorder.n_bytes < 3 * LARGE
            assert len(backend.record.requests) == 1


@pytest.mark.parametrize("n_sentences", [1, 2, 40])
async def test_the_document_is_json_whose_length_was_stated(n_sentences: int) -> None:
    step = ScriptStep(chunk_delay_s=0.001)
    texts = SENTENCES[:n_sentences]

    async with (
        serving(ScriptedBackend([step])) as site,
        site.post(SYNTHESIZE, json={"text": texts, "request_id": 'a"b'}) as response,
    ):
        document = await response.read()

    assert response.content_length == len(document)
    answer = json.loads(document)
    assert answer["request_id"] == 'a"b'
    with wave.open(io.BytesIO(base64.b64decode(answer["audio_base64"], validate=True))) as wav:
        pcm, rate_hz = wav.readframes(wav.getnframes()), wav.getframerate()
    assert same(heard(pcm, rate_hz), [expected(text) for text in texts])
