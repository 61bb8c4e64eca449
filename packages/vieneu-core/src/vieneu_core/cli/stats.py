"""Keeps count of speech while it passes: how fast it comes, and who speaks each sentence."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.clock import Clock
from vieneu_core.errors import CircuitOpenError
from vieneu_core.router import ErrorReport, RouterEvent, SpokenByFallback


@dataclass(slots=True)
class SynthesisStats:
    """What was counted. Times are in seconds."""

    clock: Clock
    on_chunk: Callable[[SynthesisStats], None]
    """Called after every chunk."""
    load_s: float = 0.0
    first_audio_s: float | None = None
    making_s: float = 0.0
    """Time spent waiting for speech; not the time in which it was played."""
    audio_s: float = 0.0
    lengths_s: dict[int, float] = field(default_factory=dict)
    speakers: dict[int, Speaker] = field(default_factory=dict)
    causes: dict[int, ErrorReport] = field(default_factory=dict)
    last_error: ErrorReport | None = None
    """What had last failed at the admin's choice, when all was spoken."""

    @property
    def real_time_factor(self) -> float:
        """Seconds that a second of speech took to make."""
        return self.making_s / self.audio_s if self.audio_s else 0.0

    def why(self, sentences: list[int]) -> ErrorReport | None:
        """Return why a stand-in spoke these sentences: the failure behind an open circuit."""
        cause = next((self.causes[n] for n in sentences if n in self.causes), None)
        left_alone = cause is None or cause.code == CircuitOpenError.code
        return self.last_error or cause if left_alone else cause

    def on_event(self, event: RouterEvent) -> None:
        """Remember why a stand-in spoke."""
        if isinstance(event, SpokenByFallback) and event.cause is not None:
            self.causes[event.sentence] = event.cause

    async def counted(
        self, chunks: AsyncGenerator[AudioChunk, None]
    ) -> AsyncGenerator[AudioChunk, None]:
        """Pass a stream on, counting."""
        waiting_since = self.clock.monotonic()
        async with aclosing(chunks):
            async for chunk in chunks:
                self.making_s += self.clock.monotonic() - waiting_since
                self._count(chunk)
                yield chunk
                waiting_since = self.clock.monotonic()

    def _count(self, chunk: AudioChunk) -> None:
        if chunk.pcm and self.first_audio_s is None:
            self.first_audio_s = self.making_s
        if chunk.restarted:  # what was cut off does not count
            self.audio_s -= self.lengths_s.pop(chunk.sentence, 0.0)
        self.audio_s += chunk.seconds
        self.lengths_s[chunk.sentence] = self.lengths_s.get(chunk.sentence, 0.0) + chunk.seconds
        self.speakers[chunk.sentence] = chunk.speaker
        self.on_chunk(self)


def in_runs(sentences: list[int]) -> str:
    """Write sentence indices for people, counted from 1: ``2, 5-9``."""
    runs: list[list[int]] = []
    for n in sentences:
        if runs and n == runs[-1][-1] + 1:
            runs[-1][1:] = [n]
        else:
            runs.append([n])
    return ", ".join("-".join(str(n + 1) for n in run) for run in runs)
