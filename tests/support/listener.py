"""A listener at playback speed, on a clock that the test moves: what is heard, and when."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from fake_clock import FakeClock

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest


@dataclass(slots=True)
class Listener:
    """Plays a stream; takes the next chunk when the one before is nearly over, as a player does."""

    clock: FakeClock
    chunks: list[AudioChunk] = field(default_factory=list)
    silences: list[float] = field(default_factory=list)
    """Seconds of silence before each chunk, the first sound included."""
    error: Exception | None = None

    @property
    def longest_silence_s(self) -> float:
        return max(self.silences)

    @property
    def speakers(self) -> list[str]:
        return [chunk.speaker.backend for chunk in self.chunks if chunk.final]

    async def listen(self, router: Router, request: SynthesisRequest) -> None:
        """Hear a whole request; move the clock while all wait for it."""
        task = asyncio.ensure_future(self._play(router, request))
        while not task.done():
            await self.clock.advance(0.05)
            await asyncio.sleep(0.001)  # threads that resample
        await task

    async def _play(self, router: Router, request: SynthesisRequest) -> None:
        played_until_s = self.clock.monotonic()
        async with aclosing(router.stream(request)) as stream:
            async for chunk in stream:
                now = self.clock.monotonic()
                if chunk.pcm:
                    self.silences.append(max(0.0, now - played_until_s))
                    played_until_s = max(now, played_until_s) + chunk.seconds
                self.chunks.append(chunk)
                if played_until_s - now > 0.2:
                    await self.clock.sleep(played_until_s - now - 0.2)
