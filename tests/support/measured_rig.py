"""A measured backend under a clock that the test moves, and what it exposes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from exposition import Exposed, exposed
from fake_clock import FakeClock
from prometheus_client import CollectorRegistry
from tone_engine import expected

from vieneu_colab_server.relay.metrics.measured_backend import MeasuredBackend
from vieneu_colab_server.relay.metrics.measurement import Source
from vieneu_colab_server.relay.metrics.speech_metrics import SpeechMetrics
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend
from vieneu_core.synthesis import SynthesisRequest

TWO = ("Đây là câu 1 nhé.", "Đây là câu 2 nhé.")
TWO_S = sum(expected(sentence).seconds + 0.08 for sentence in TWO)


class Rig:
    """A measured backend under a clock that the test moves."""

    def __init__(self, backend: Backend, clock: FakeClock, source: Source = Source.LIVE) -> None:
        self.registry = CollectorRegistry()
        self.clock = clock
        self.backend = MeasuredBackend(
            backend, SpeechMetrics(self.registry), clock=clock, source=source
        )

    async def take(self, request: SynthesisRequest, into: list[AudioChunk]) -> None:
        """Take a whole stream; move the clock while it is waited for."""
        task = asyncio.ensure_future(take_all(self.backend, request, into))
        while not task.done():
            await self.clock.advance(0.05)
        await task

    def exposed(self) -> Exposed:
        return exposed(self.registry)

    def requests(self) -> dict[tuple[tuple[str, str], ...], float]:
        return self.exposed().counted("vieneu_requests_total")


async def take_all(backend: Backend, request: SynthesisRequest, into: list[AudioChunk]) -> None:
    async with aclosing(backend.stream(request)) as chunks:
        async for chunk in chunks:
            into.append(chunk)  # noqa: PERF401 - what came before an error counts


def request_of(*sentences: str) -> SynthesisRequest:
    return SynthesisRequest(text=sentences)


def labels(**named: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(named.items()))
