"""A backend that never ends a sentence: memory stays bounded, and others speak it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from fake_clock import FakeClock
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.router import Mode, Router, RouterEvent, SpokenByFallback
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend

SENTENCES = ("Câu thứ nhất.", "Câu thứ hai.", "Câu thứ ba.")


class Endless(ScriptedBackend):
    """Goes on with one sentence for ever."""

    at = 0
    n_chunks = 0

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async for chunk in super().stream(request):
            if chunk.sentence < self.at:
                yield chunk
                continue
            while True:
                self.n_chunks += 1
                yield replace(chunk, pcm=bytes(chunk.sample_rate_hz * 2), final=False)


@pytest.mark.parametrize("at", [0, 1])
async def test_a_sentence_without_an_end_is_spoken_by_another_backend(at: int) -> None:
    clock = FakeClock()
    remote = Endless(name="remote", clock=clock)
    remote.at = at
    local = ScriptedBackend(name="local", clock=clock)
    events: list[RouterEvent] = []
    async with Router(local=local, remote=remote, mode=Mode.REMOTE, clock=clock) as router:
        router.subscribe(events.append)
        chunks: list[AudioChunk] = []
        async for chunk in router.stream(SynthesisRequest(text=" ".join(SENTENCES))):
            if chunk.restarted:
                chunks.clear()
            chunks.append(chunk)
    pcm = b"".join(chunk.pcm for chunk in chunks)
    assert same(heard(pcm, chunks[0].sample_rate_hz), [expected(s) for s in SENTENCES])
    assert remote.n_chunks <= 3 * 901, "bounded, however often it was tried"
    assert SpokenByFallback in {type(event) for event in events}
