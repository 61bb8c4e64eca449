"""A backend that makes one sentence at a time, as a local engine does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fake_clock import FakeClock

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.testing.tone import CHUNK_S, in_chunks, sentence_tone

RATE_HZ = 24_000


class OneAtATime(ScriptedBackend):
    """Its sentences take turns; a request that waits says so at once and every second."""

    def __init__(self, name: str, clock: FakeClock, *, speed: float) -> None:
        super().__init__(name=name, clock=clock)
        self.speed = speed
        self._turn = asyncio.Lock()

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        assert isinstance(request.text, tuple)
        speaker = Speaker(backend=self.name, engine="", voice="")
        for number, text in enumerate(request.text):
            turn = asyncio.create_task(self._turn.acquire())
            try:
                while not turn.done():
                    yield AudioChunk(b"", RATE_HZ, number, speaker, waiting=True)
                    await self._until(turn)
                yield AudioChunk(b"", RATE_HZ, number, speaker)
                for part in in_chunks(sentence_tone(text).pcm(RATE_HZ), RATE_HZ):
                    await self._clock.sleep(CHUNK_S / self.speed)
                    yield AudioChunk(part, RATE_HZ, number, speaker)
            finally:
                if not turn.cancel():
                    self._turn.release()
            yield AudioChunk(b"", RATE_HZ, number, speaker, final=True)

    async def _until(self, turn: asyncio.Task[bool]) -> None:
        second = asyncio.create_task(self._clock.sleep(1.0))
        await asyncio.wait({turn, second}, return_when=asyncio.FIRST_COMPLETED)
        second.cancel()
