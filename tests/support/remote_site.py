"""A real server that speaks tones, a proxy before it that can go wrong, and clients of both."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fault_line import Act, Fault, Moment
from fault_proxy import FaultProxy
from guard import GUARD_S
from server_site import TOKEN, serving

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts, RetryPolicy
from vieneu_core.errors import BackendError
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.schemas import SynthesisBody

PATIENT = RemoteTimeouts(
    total_s=240, connect_s=60, first_byte_s=95, between_chunks_s=60, behind_s=60
)
"""Nothing that a busy machine does to a healthy stream shall look like a fault."""
AT_ONCE = RetryPolicy(first_wait_s=0.001)


@dataclass
class RemoteSite:
    """A server with a scripted voice, behind a proxy."""

    voice: ScriptedBackend
    proxy: FaultProxy
    address: tuple[str, int]
    remotes: list[RemoteBackend] = field(default_factory=list)

    def go_wrong(
        self, act: Act, moment: Moment = Moment.BEFORE, *, times: int = 1, **more: Any
    ) -> None:
        self.proxy.faults.extend(Fault(moment, act, **more) for _ in range(times))

    @property
    def bodies(self) -> list[SynthesisBody]:
        """What was asked for, request by request."""
        return [SynthesisBody.model_validate_json(seen.body) for seen in self.proxy.posts()]

    def health_says(self, **members: object) -> None:
        """Let /health answer this from now on, whatever the server thinks."""
        report = {
            "status": "ok",
            "model_loaded": True,
            "uptime_seconds": 1.0,
            "version": "0.1.0",
            "wire_version": "1.0",
            "state": "ready",
            **members,
        }
        self.proxy.canned["/health"] = json_reply(json.dumps(report).encode())

    def client(self, url: str = "", token: str = TOKEN, **options: Any) -> RemoteBackend:
        options = {
            "codec": "pcm",
            "timeouts": PATIENT,
            "retries": AT_ONCE,
            "rng": random.Random(1),
            **options,
        }
        remote = RemoteBackend(url or self.proxy.url, token, **options)
        self.remotes.append(remote)
        return remote

    async def loaded(self, **options: Any) -> RemoteBackend:
        remote = self.client(**options)
        await remote.load()
        return remote


def json_reply(body: bytes, status: str = "200 OK") -> bytes:
    """Return an answer as our server would give it, closing behind it."""
    kind = "json" if status.startswith("200") else "problem+json"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/{kind}\r\nVieneu-Wire-Version: 1.0\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def site_of(voice: ScriptedBackend) -> AsyncIterator[RemoteSite]:
    """Serve a voice, with no limits that a test would run into."""
    async with serving(
        voice, requests_per_minute=10**6, health_checks_per_minute=10**6, max_concurrent=16
    ) as served:
        proxy = FaultProxy(served.address)
        await proxy.start()
        site = RemoteSite(voice, proxy, served.address)
        try:
            yield site
        finally:
            for remote in site.remotes:
                await remote.aclose()
            await proxy.aclose()


async def listen(
    stream: AsyncGenerator[AudioChunk, None],
    heard_by: dict[Moment, asyncio.Event] | None = None,
) -> tuple[list[AudioChunk], BackendError | None]:
    """Hear what comes, and what it ended with. The limit only ends a test that hangs.

    Tells what was heard: ``DURING`` is some of a sentence, ``AFTER`` the end of one.
    """
    got: list[AudioChunk] = []
    try:
        async with asyncio.timeout(GUARD_S), aclosing(stream):
            async for chunk in stream:
                got.append(chunk)
                if heard_by:
                    heard_by[Moment.AFTER if chunk.final else Moment.DURING].set()
    except BackendError as err:
        return got, err
    return got, None


def sentences_of(chunks: list[AudioChunk]) -> list[bytes]:
    """The samples of each whole sentence, in order of their end."""
    whole, current = [], bytearray()
    for chunk in chunks:
        current += chunk.pcm
        if chunk.final:
            whole.append(bytes(current))
            current.clear()
    return whole
