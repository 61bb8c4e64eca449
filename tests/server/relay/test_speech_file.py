"""Files of speech from samples: what has begun to arrive is not refused for want of memory."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from vieneu_colab_server.relay.speak.speech_file import (
    MAX_SAMPLES_BYTES,
    SPEECH_FILE,
    SpeechFileLimit,
)


class Upload:
    """A request that sends its body in two halves, the second one when it may."""

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        self.may_go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.status = 0

    async def receive(self) -> Message:
        half = bytes(self.n_bytes // 2)
        if not self.begun.is_set():
            self.begun.set()
            return {"type": "http.request", "body": half, "more_body": True}
        await self.may_go_on.wait()
        return {"type": "http.request", "body": half, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])

    async def through(self, limit: SpeechFileLimit) -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": SPEECH_FILE,
            "headers": [(b"content-length", str(self.n_bytes).encode())],
            "app": Starlette(),
        }
        await limit(scope, self.receive, self.send)


async def test_a_large_file_for_which_there_is_no_memory_is_refused_before_it_begins() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        assert len((await receive())["body"]) == MAX_SAMPLES_BYTES
        await send({"type": "http.response.start", "status": 200, "headers": []})

    limit = SpeechFileLimit(
        app, max_bytes=1_000, timeout_s=60.0, max_total_bytes=1_000, unlimited=("/none",)
    )
    begun = [Upload(MAX_SAMPLES_BYTES) for _ in range(2)]
    running = [asyncio.create_task(upload.through(limit)) for upload in begun]
    for upload in begun:
        await upload.begun.wait()

    late = Upload(MAX_SAMPLES_BYTES)
    late.may_go_on.set()
    await late.through(limit)
    assert (late.status, late.begun.is_set()) == (503, False)
    assert late.headers[b"retry-after"] == b"2"

    for upload in begun:
        upload.may_go_on.set()
    await asyncio.gather(*running)
    assert [upload.status for upload in begun] == [200, 200]
    again = Upload(MAX_SAMPLES_BYTES)
    again.may_go_on.set()
    await again.through(limit)
    assert again.status == 200
