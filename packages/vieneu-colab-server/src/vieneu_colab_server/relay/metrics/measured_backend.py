"""A backend that measures another one: every request, and what was heard of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from vieneu_colab_server.relay.metrics.measurement import Measurement, Source
from vieneu_colab_server.relay.metrics.speech_metrics import SpeechMetrics
from vieneu_colab_server.relay.metrics.tracing import SpeechTracing
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, Health
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.synthesis import SynthesisRequest, check_request
from vieneu_core.voices import Voice


class MeasuredBackend(Backend):
    """Passes everything to a backend, and measures what it streams.

    Args:
        backend: Speaks; it is loaded and closed through this one.
        metrics: Gets the measurement of each request.
        clock: Time; None is the machine's.
        tracing: Makes a span of each request; None makes none.
        on_end: Gets the measurement of each request too.
        source: Whose requests these are.
    """

    def __init__(  # noqa: PLR0913 - its parts, each once
        self,
        backend: Backend,
        metrics: SpeechMetrics,
        *,
        clock: Clock | None = None,
        tracing: SpeechTracing | None = None,
        on_end: Callable[[Measurement], None] | None = None,
        source: Source = Source.LIVE,
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._clock = SystemClock() if clock is None else clock
        self._tracing = tracing
        self._on_end = on_end
        self._source = source

    @property
    def name(self) -> str:
        """Name of the backend that is measured."""
        return self._backend.name

    async def load(self) -> None:
        """Load the backend; see `Backend.load`."""
        await self._backend.load()

    async def unload(self) -> None:
        """Unload the backend."""
        await self._backend.unload()

    async def health(self) -> Health:
        """Return the health of the backend; see `Backend.health`."""
        return await self._backend.health()

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices of the backend; see `Backend.voices`."""
        return await self._backend.voices()

    async def aclose(self) -> None:
        """Close the backend for good."""
        await self._backend.aclose()

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`. It is counted once, however it ends."""
        check_request(request)
        measured = Measurement(source=self._source)
        span = None if self._tracing is None else self._tracing.begin(request)
        self._metrics.begin(self._source)
        now = self._clock.monotonic
        try:
            async with aclosing(self._backend.stream(request)) as chunks:
                asked_at = now()
                async for chunk in chunks:
                    measured.add(chunk, now() - asked_at)
                    yield chunk
                    asked_at = now()
                measured.waited_s += now() - asked_at
            measured.succeed()
        except (asyncio.CancelledError, GeneratorExit):
            raise  # nobody waits for the rest: the outcome that a measurement begins with
        except Exception as error:
            measured.fail(error)
            raise
        finally:
            self._metrics.end(measured, self._source)
            if self._on_end is not None:
                self._on_end(measured)
            if span is not None:
                span.end(measured)
