"""A router over scripted backends, with the events that it publishes."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import Self

from fake_clock import FakeClock
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import (
    BackendConnectionError,
    BackendError,
)
from vieneu_core.router import (
    Mode,
    Router,
    RouterEvent,
    RouterPolicy,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.voices import Voice

SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(6))
TEXT = " ".join(SENTENCES)
LAST_VOICES = (Voice(id="vi-north", name="Bắc", language="vi"), Voice("en-us", "US", "en"))


class RouterRig:
    """A router with three scripted backends, a clock that the test moves, and the events."""

    def __init__(self, mode: Mode = Mode.REMOTE, policy: RouterPolicy | None = None) -> None:
        self.clock = FakeClock()
        self.local = ScriptedBackend(name="local", clock=self.clock)
        self.remote = ScriptedBackend(name="remote", clock=self.clock)
        self.last = ScriptedBackend(
            name="last_resort", voices=LAST_VOICES, sample_rate_hz=22_050, clock=self.clock
        )
        self.router = Router(
            local=self.local,
            remote=self.remote,
            last_resort=self.last,
            mode=mode,
            policy=policy or RouterPolicy(),
            clock=self.clock,
            rng=random.Random(7),
        )
        self.events: list[RouterEvent] = []
        self.router.subscribe(self.events.append)

    async def __aenter__(self) -> Self:
        await self.router.load()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.router.aclose()

    def published(self, kind: type[RouterEvent]) -> list[RouterEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    async def speak(self, text: str = TEXT, **fields: object) -> list[AudioChunk]:
        return await self.take(SynthesisRequest(text=text, **fields))  # type: ignore[arg-type]

    async def take(self, request: SynthesisRequest) -> list[AudioChunk]:
        """Take the whole stream; move the clock while all wait for it."""
        task = asyncio.ensure_future(gather(self.router, request))
        while not task.done():
            await self.clock.advance(0.05)
            await asyncio.sleep(0.001)  # threads that resample
        return await task


async def gather(router: Router, request: SynthesisRequest) -> list[AudioChunk]:
    chunks: list[AudioChunk] = []
    await take(router, request, chunks)
    return chunks


async def take(router: Router, request: SynthesisRequest, into: list[AudioChunk]) -> None:
    """Take a stream so that what came before an error is kept."""
    async with aclosing(router.stream(request)) as stream:
        async for chunk in stream:
            into.append(chunk)  # noqa: PERF401 - what came before an error counts


def pcm(chunks: list[AudioChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def speakers(chunks: list[AudioChunk]) -> list[str]:
    return [chunk.speaker.backend for chunk in chunks if chunk.final]


def lost(detail: str = "gone") -> BackendError:
    return BackendConnectionError(detail)


def assert_heard(chunks: list[AudioChunk], sentences: tuple[str, ...] = SENTENCES) -> None:
    assert same(heard(pcm(chunks), chunks[0].sample_rate_hz), [expected(s) for s in sentences])
    assert [c.sentence for c in chunks if c.final] == list(range(len(sentences)))
