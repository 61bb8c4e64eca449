"""Time from ``kill -9`` of a real server within a sentence to the first audio of the fallback.

The gap must not be longer than a pause in speech. Two times are measured: until the failure is
detected, and from there (limit: 1 s) until the first samples of the fallback, the embedded voice.
They are compared with the same voice without a failure.

The kills happen at random points of four sentences. A kill between two requests is detected only
after two more attempts to connect, with pauses of about 0.1 and 0.2 s: that is the worst case.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from statistics import median

from report import Row, ms, times
from server_process import ServerHandle
from servers import TONES, server

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import BackendError
from vieneu_core.router import Mode, Router
from vieneu_core.synthesis import SynthesisRequest

N_KILLS = 20
SLOW = {"chunk_delay_s": 0.02}
TEXT = tuple(f"Đây là câu {i} của bản tin." for i in range(4))


class WatchedRemote(RemoteBackend):
    """Notes when a stream of it failed."""

    failed_s = 0.0

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request."""
        try:
            async with aclosing(super().stream(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except BackendError:
            self.failed_s = self.failed_s or time.perf_counter()
            raise


@dataclass(frozen=True, slots=True)
class Break:
    """One kill, in seconds."""

    noticed: float
    """From the kill until the stream from the server failed."""
    stood_in: float
    """From there to the first audio of the fallback."""
    calm: float
    """To the first audio of the same voice where nothing had failed."""


def measure() -> list[Row]:
    breaks = asyncio.run(_measure())
    noticed, stood_in = [b.noticed for b in breaks], [b.stood_in for b in breaks]
    whole = [b.noticed + b.stood_in for b in breaks]
    calm_s = median(b.calm for b in breaks)
    return [
        _row("kill to detection", noticed, calm_s),
        _row("detection to first audio of the fallback", stood_in, calm_s),
        _row("kill to first audio of the fallback", whole, calm_s),
    ]


async def _measure() -> list[Break]:
    rng = random.Random(1)
    router = Router(local=LocalBackend("espeak"))
    await router.load()
    breaks: list[Break] = []
    try:
        while len(breaks) < N_KILLS:
            async with server(TONES, options=SLOW) as handle:
                breaks.append(await _kill(router, handle, rng))
    finally:
        await router.aclose()
    return breaks


async def _kill(router: Router, handle: ServerHandle, rng: random.Random) -> Break:
    remote = WatchedRemote(handle.url, handle.token)
    await router.set_remote(remote)
    router.set_mode(Mode.REMOTE)
    kill_at, n_chunks, killed_s, fallback_s = rng.randrange(1, 20), 0, 0.0, 0.0
    async with aclosing(router.stream(SynthesisRequest(text=TEXT))) as chunks:
        async for chunk in chunks:
            n_chunks += 1
            if n_chunks == kill_at:
                os.kill(handle.pid, signal.SIGKILL)
                killed_s = time.perf_counter()
            if chunk.speaker.backend == Mode.LOCAL.value and chunk.pcm and not fallback_s:
                fallback_s = time.perf_counter()
    assert killed_s < remote.failed_s < fallback_s
    router.set_mode(Mode.LOCAL)
    return Break(remote.failed_s - killed_s, fallback_s - remote.failed_s, await _calm_s(router))


async def _calm_s(router: Router) -> float:
    began_s = time.perf_counter()
    async with aclosing(router.stream(SynthesisRequest(text=TEXT))) as chunks:
        await anext(chunks)
        return time.perf_counter() - began_s


def _row(what: str, found_s: list[float], calm_s: float) -> Row:
    return Row(
        part="Failover",
        what=f"{what}, median and worst of {len(found_s)}",
        measured=f"{ms(median(found_s))}, {ms(max(found_s))}",
        against=f"the same voice without a failure: {ms(calm_s)}",
        ratio=f"{times(median(found_s), calm_s)}, {times(max(found_s), calm_s)}",
    )
