"""An announcement from the cache of finished speech, against speaking it; and what a miss pays.

A hit reads an entry, checks it and decodes all of it before the first sample goes out, so that a
damaged one is never heard. It is compared with the embedded voice, the fastest there is, and with
an engine at five times the speed of speech, as a neural one has, both behind the router. A miss is
looked up in vain before it is spoken, and stored once it has ended: its first audio must not wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from report import Row, ms, times
from servers import TONES
from speech import ANNOUNCEMENT, BULLETIN

from vieneu_core.backends.base import Backend
from vieneu_core.backends.local import LocalBackend
from vieneu_core.config import Settings
from vieneu_core.router import Router
from vieneu_core.speech_cache import CachedBackend, SpeechCache, chosen_by
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

NEURAL = {"chunk_delay_s": 0.02}
"""Chunks are of 0.1 s, so this is a real-time factor of 0.2."""
N_FAST, N_SLOW = 60, 8
PART = "Cache of finished speech"


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    rows = []
    async with _cached(EngineSpec("espeak")) as (router, cached):
        for name, text in (("one sentence", (ANNOUNCEMENT,)), ("seven sentences", BULLETIN)):
            hit_s, spoken_s = await _hits(router, cached, text, n=N_FAST)
            rows.append(_row(f"hit, {name}: whole", hit_s, "embedded voice", spoken_s))
        miss_s, plain_s = await _misses(router, cached)
        rows.append(_row("miss: time to first audio", miss_s, "without the cache", plain_s))
        rows.append(await _size(cached))
    async with _cached(EngineSpec(TONES, NEURAL)) as (router, cached):
        hit_s, spoken_s = await _hits(router, cached, (ANNOUNCEMENT,), n=N_SLOW)
    rows.append(_row("hit, one sentence: whole", hit_s, "5 times the speed of speech", spoken_s))
    return rows


@asynccontextmanager
async def _cached(engine: EngineSpec) -> AsyncGenerator[tuple[Router, CachedBackend], None]:
    with TemporaryDirectory() as folder:
        router = Router(local=LocalBackend(engine))
        cache = SpeechCache(Path(folder) / "speech", max_bytes=200_000_000)
        async with CachedBackend(router, cache, chosen=chosen_by(router, Settings())) as cached:
            yield router, cached


async def _hits(
    router: Router, cached: CachedBackend, text: tuple[str, ...], *, n: int
) -> tuple[float, float]:
    """Return median seconds of the same text, replayed and spoken; measured in turns."""
    await cached.prepare(SynthesisRequest(text=text))
    hits_s, spoken_s = [], []
    for _ in range(n):
        hits_s.append(await _seconds(cached, text, whole=True))
        spoken_s.append(await _seconds(router, text, whole=True))
    assert cached.cache.stats().misses == 0
    return median(hits_s), median(spoken_s)


async def _misses(router: Router, cached: CachedBackend) -> tuple[float, float]:
    """Return median seconds to the first audio of texts that are new, with the cache and without.

    Each is stored before the next one, which therefore waits for no thread.
    """
    with_s, without_s = [], []
    for number in range(N_FAST):
        text = (f"{ANNOUNCEMENT} Lần {number}.",)
        with_s.append(await _seconds(cached, text, whole=False))
        await cached.flush()
        without_s.append(await _seconds(router, text, whole=False))
    return median(with_s), median(without_s)


async def _seconds(backend: Backend, text: tuple[str, ...], *, whole: bool) -> float:
    began_s, first_s = time.perf_counter(), 0.0
    async with aclosing(backend.stream(SynthesisRequest(text=text))) as chunks:
        async for chunk in chunks:
            if chunk.pcm and not first_s:
                first_s = time.perf_counter() - began_s
    return time.perf_counter() - began_s if whole else first_s


async def _size(cached: CachedBackend) -> Row:
    """Return the bytes on the disk for a second of speech, against its samples."""
    n_pcm, seconds = 0, 0.0
    await cached.cache.clear()
    before = await _bytes(cached.cache)
    for number in range(N_FAST):
        request = SynthesisRequest(text=f"{ANNOUNCEMENT} Lần thứ {number}.")
        async with aclosing(cached.stream(request)) as chunks:
            async for chunk in chunks:
                n_pcm += len(chunk.pcm)
                seconds += chunk.seconds
        await cached.flush()
    n_bytes = await _bytes(cached.cache) - before
    return Row(
        part=PART,
        what="bytes on the disk for a second of speech",
        measured=f"{n_bytes / seconds / 1e3:.3g} kB",
        against=f"16-bit samples: {n_pcm / seconds / 1e3:.3g} kB",
        ratio=times(n_bytes, n_pcm),
    )


async def _bytes(cache: SpeechCache) -> int:
    """Return the bytes on the disk, without a journal that is not written back yet."""
    await cache.release()
    return (await cache.count()).bytes


def _row(what: str, ours_s: float, other: str, other_s: float) -> Row:
    return Row(
        part=PART,
        what=what,
        measured=ms(ours_s),
        against=f"{other}: {ms(other_s)}",
        ratio=times(ours_s, other_s),
    )
