"""The cost of each layer that a chunk of audio passes between the worker's pipe and the caller.

Every layer is paid once per chunk, on the event loop that Home Assistant shares. The worker is
replaced by one that answers at once, so that nothing but the layers is measured: a bare queue, then
the worker's client, the local backend, and the router, each with all layers below it. The last row
is one async generator that only forwards, as a measure for the others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from statistics import median

from report import Row, times
from tone_engine import VOICES, create

from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import EngineInfo, Utterance
from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.client import WorkerClient
from vieneu_core.worker.messages import Audio, Finished, Message, Speak
from vieneu_core.worker.spec import WorkerState

SENTENCE = "Đây là câu 1 của bản tin, và nó dài hơn các câu khác một chút."
N_SENTENCES, N_TURNS, N_FORWARDING = 40, 31, 5
TEXT = (SENTENCE,) * N_SENTENCES


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    engine = create({})
    info = engine.load(lambda _: None)
    utterance = Utterance(text=SENTENCE, voice=VOICES[0])
    pieces = list(engine.synthesize(utterance, lambda: False))
    backend = instant_local(info, pieces)
    router = Router(local=instant_local(info, pieces))
    await router.load()
    request = SynthesisRequest(text=TEXT)

    async def client() -> int:
        n_chunks = [await count_chunks(backend._worker.speak(utterance)) for _ in TEXT]
        return sum(n_chunks)

    sides: dict[str, Callable[[], Awaitable[int]]] = {
        "queue": lambda: count_chunks(_queue(pieces)),
        "forwarded": lambda: count_chunks(_forwarded(_queue(pieces), N_FORWARDING)),
        "client": client,
        "local": lambda: count_chunks(backend.stream(request)),
        "router": lambda: count_chunks(router.stream(request)),
    }
    try:
        took_s = await cpu_per_chunk(sides)
    finally:
        await router.aclose()
    return [
        _row("worker client", took_s["client"], took_s["queue"]),
        _row("worker client and local backend", took_s["local"], took_s["queue"]),
        _row("worker client, local backend and router", took_s["router"], took_s["queue"]),
        _row(
            "one generator that only forwards",
            (took_s["forwarded"] - took_s["queue"]) / N_FORWARDING,
            took_s["queue"],
        ),
    ]


async def cpu_per_chunk(sides: dict[str, Callable[[], Awaitable[int]]]) -> dict[str, float]:
    """Return median seconds of CPU per chunk of each side, measured in turns."""
    took_s: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(N_TURNS + 1):
        for name, side in sides.items():
            began_s = time.thread_time()
            n_chunks = await side()
            if turn > 0:  # the first one warms up
                took_s[name].append((time.thread_time() - began_s) / n_chunks)
    return {name: median(values) for name, values in took_s.items()}


async def count_chunks(stream: AsyncIterator[object]) -> int:
    """Take a whole stream, and return how many chunks it had."""
    n_chunks = 0
    async for _ in stream:
        n_chunks += 1
    return n_chunks


async def _queue(pieces: list[bytes]) -> AsyncGenerator[bytes, None]:
    for _ in TEXT:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for pcm in (*pieces, None):
            queue.put_nowait(pcm)
        while (pcm := await queue.get()) is not None:
            yield pcm


async def _forwarded(
    source: AsyncGenerator[bytes, None], n_layers: int
) -> AsyncGenerator[bytes, None]:
    inner = _forwarded(source, n_layers - 1) if n_layers > 1 else source
    async with aclosing(inner) as chunks:
        async for chunk in chunks:
            yield chunk


class _InstantWorker:
    """A worker that has spoken a sentence as soon as it is asked to."""

    state, progress, pid, uptime_s, n_restarts = WorkerState.READY, None, None, 0.0, 0

    def __init__(self, info: EngineInfo, pieces: list[bytes], client: WorkerClient) -> None:
        self.info = info
        self._pieces = pieces
        self._client = client

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def ready(self) -> EngineInfo:
        return self.info

    def send(self, message: Message) -> None:
        if isinstance(message, Speak):
            for pcm in self._pieces:
                self._client.on_message(Audio(message.job, pcm))
            self._client.on_message(Finished(message.job))


def instant_local(info: EngineInfo, pieces: list[bytes]) -> LocalBackend:
    """Return a local backend whose worker has spoken a sentence as soon as it is asked to."""
    backend = LocalBackend("espeak")
    backend._worker._worker = _InstantWorker(info, pieces, backend._worker)  # type: ignore[assignment] # see above
    return backend


def _row(what: str, took_s: float, queue_s: float) -> Row:
    return Row(
        part="Layers of a stream, per chunk",
        what=what,
        measured=f"{took_s * 1e6:.2f} µs",
        against=f"a queue alone: {queue_s * 1e6:.2f} µs",
        ratio=times(took_s, queue_s),
    )
