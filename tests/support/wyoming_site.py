"""A Wyoming server in this process on a real socket, and clients that hear what it sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from guard import GUARD_S
from tone_engine import Heard, heard
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from vieneu_colab_server.relay.wyoming.limits import WyomingLimits
from vieneu_colab_server.relay.wyoming.server import WyomingServer
from vieneu_colab_server.relay.wyoming.speech_source import Speak
from vieneu_core.backends.base import Backend


@dataclass
class Reply:
    """What a client got for one request."""

    types: list[str] = field(default_factory=list)
    """Of the events, each run of equal ones once."""
    pcm: bytes = b""
    rate_hz: int = 0
    error: Error | None = None

    @property
    def tones(self) -> list[Heard]:
        return heard(self.pcm, self.rate_hz)

    @property
    def code(self) -> str | None:
        return None if self.error is None else self.error.code

    def take(self, event: Event) -> None:
        if self.types[-1:] != [event.type]:
            self.types.append(event.type)
        if AudioStart.is_type(event.type):
            self.rate_hz = AudioStart.from_event(event).rate
        if AudioChunk.is_type(event.type):
            chunk = AudioChunk.from_event(event)
            assert (chunk.rate, chunk.width, chunk.channels) == (self.rate_hz, 2, 1)
            self.pcm += chunk.audio
        if Error.is_type(event.type):
            self.error = Error.from_event(event)


async def reply(client: AsyncClient, last: str = "audio-stop") -> Reply:
    """Read the answer to one request."""
    got = Reply()
    while got.error is None and got.types[-1:] != [last]:
        event = await client.read_event()
        assert event is not None, f"the connection ended after {got.types}"
        got.take(event)
    return got


async def say_whole(client: AsyncClient, text: str, **fields: Any) -> Reply:
    """Have a whole text spoken."""
    await client.write_event(Synthesize(text=text, **fields).event())
    return await reply(client)


async def write(client: AsyncClient, *pieces: str, **fields: Any) -> None:
    """Send a text in pieces, with its start and stop."""
    await client.write_event(SynthesizeStart(**fields).event())
    for piece in pieces:
        await client.write_event(SynthesizeChunk(text=piece).event())
    await client.write_event(SynthesizeStop().event())


class RawClient:
    """A client that sends any bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def event(self, kind: str, data: object = None, **header: object) -> None:
        await self.send(json.dumps({"type": kind, "data": data, **header}).encode() + b"\n")

    async def rest(self) -> bytes:
        """Return everything until the server closes the connection."""
        return await self.reader.read()

    async def next_event(self) -> dict[str, Any]:
        header: dict[str, Any] = json.loads(await self.reader.readline())
        data = json.loads(await self.reader.readexactly(header.get("data_length", 0)) or b"{}")
        await self.reader.readexactly(header.get("payload_length", 0))
        return {"type": header["type"], **data}


@dataclass
class WyomingSite:
    server: WyomingServer
    url: str

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncClient]:
        async with AsyncClient.from_uri(self.url) as client:
            yield client

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[RawClient]:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            yield RawClient(reader, writer)
        finally:
            writer.close()


@asynccontextmanager
async def serving_wyoming(
    backend: Backend,
    *,
    address: str = "tcp://127.0.0.1:0",
    speak: Speak | None = None,
    language: str = "en",
    **limits: Any,
) -> AsyncIterator[WyomingSite]:
    """Serve a backend, which is loaded here."""
    async with backend, asyncio.timeout(GUARD_S):
        server = WyomingServer(
            address,
            speak or backend.stream,
            backend.voices,
            limits=WyomingLimits(**limits),
            language=language,
        )
        await server.start()
        try:
            yield WyomingSite(server, server.url)
        finally:
            await server.stop(0)
