"""A slow engine that recovers: how much of a sentence is made before it is heard."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from pathlib import Path

import pytest
from fake_clock import FakeClock
from local_rig import Make

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.tone import CHUNK_S
from vieneu_core.text.spoken import spoken

SLOW = 1.2
"""Seconds that the engine needs for a second of audio."""


class Steps:
    """Lets the engine make one chunk after the other, each after the same time of the clock."""

    def __init__(self, clock: FakeClock, folder: Path) -> None:
        folder.mkdir()
        self.path = folder / "steps"
        os.mkfifo(self.path)
        self._clock = clock
        self._pipe = os.open(self.path, os.O_RDWR)

    async def chunks(self, backend: LocalBackend, request: SynthesisRequest) -> list[AudioChunk]:
        """Return what comes of a request: a chunk without samples for each that is held."""
        got: list[AudioChunk] = []
        async with aclosing(backend.stream(request)) as stream:
            while not (got and got[-1].final):
                chunk = asyncio.ensure_future(anext(stream))
                await self._clock.advance(SLOW * CHUNK_S)
                if not chunk.done():
                    os.write(self._pipe, b".")
                got.append(await chunk)
        return got

    def close(self) -> None:
        os.close(self._pipe)


async def n_held(make: Make, clock: FakeClock, folder: Path, text: str) -> int:
    """Return the number of chunks that were made before any was heard."""
    steps = Steps(clock, folder)
    backend = make(clock=clock, recovers=True, chunks_by=str(steps.path))
    await backend.load()
    chunks = await steps.chunks(backend, SynthesisRequest(text=(text,)))
    steps.close()
    return next(number for number, chunk in enumerate(chunks) if chunk.pcm)


@pytest.mark.parametrize(
    "text",
    [
        "Bây giờ là 7:45 ngày 28/11/2026.",
        "Gió 25 km/h, áp suất 1013 hPa, 31,5 °C.",
        "UBND Q.1, TP. HCM.",
        "Hóa đơn 1.250.000 đ.",
        "Cửa trước đang mở.",
    ],
)
async def test_a_sentence_gets_the_lead_of_what_is_said_of_it(
    make: Make, clock: FakeClock, tmp_path: Path, text: str
) -> None:
    written = await n_held(make, clock, tmp_path / "written", text)
    said = await n_held(make, clock, tmp_path / "said", spoken(text, "vi"))

    assert written == said > 1
