"""Duration of a switch of the mode while 20 requests are in flight, with a limit of 1 ms.

`Router.set_mode` runs on Home Assistant's event loop. Ten of the requests run on a worker process,
ten on a real server, and all of them must be complete after 1 000 switches.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import NamedTuple

from report import Row, percentile
from servers import TONES, server

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.router import Mode, Router
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

N_STREAMS, N_SWITCHES = 20, 1_000
LIMIT_US = 1_000.0
SLOW = {"chunk_delay_s": 0.01}
TEXT = tuple(f"Đây là câu {i} của bản tin." for i in range(3))


class Took(NamedTuple):
    """One switch, in microseconds."""

    wall_us: float
    cpu_us: float


def measure() -> list[Row]:
    took = asyncio.run(_measure())
    took_us, worked_us = [t.wall_us for t in took], [t.cpu_us for t in took]
    return [
        _row("median", median(took_us)),
        _row("99 of 100 within", percentile(took_us, 99)),
        _row("longest", max(took_us)),
        _row("longest, without waiting for a core", max(worked_us)),
    ]


async def _measure() -> list[Took]:
    async with server(TONES, options=SLOW) as handle:
        router = Router(
            local=LocalBackend(EngineSpec(TONES, SLOW)),
            remote=RemoteBackend(handle.url, handle.token),
        )
        try:
            await router.load()
            await router.load_backend(Mode.REMOTE.value)
            return await _switch(router)
        finally:
            await router.aclose()


async def _switch(router: Router) -> list[Took]:
    streams = [await _begin(router, mode) for mode in list(Mode) * (N_STREAMS // 2)]
    took = []
    for turn in range(N_SWITCHES):
        mode = list(Mode)[turn % 2]
        began_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        router.set_mode(mode)
        cpu_ns, ended_ns = time.thread_time_ns() - cpu_ns, time.perf_counter_ns()
        took.append(Took((ended_ns - began_ns) / 1_000, cpu_ns / 1_000))
        await asyncio.sleep(0)
    assert not any(stream.done() for stream in streams)  # they were in flight all the time
    for speech in await asyncio.gather(*streams):
        assert len(speech.speakers) == len(TEXT)
    return took


async def _begin(router: Router, mode: Mode) -> asyncio.Task[Speech]:
    """Start a request on one backend, and let it get there."""
    router.set_mode(mode)
    stream = asyncio.create_task(synthesize(router, SynthesisRequest(text=TEXT)))
    await asyncio.sleep(0)
    return stream


def _row(what: str, took_us: float) -> Row:
    return Row(
        part="Switch of the mode",
        what=f"{what}, {N_STREAMS} requests in flight",
        measured=f"{took_us:.0f} µs",
        against=f"limit: {LIMIT_US:.0f} µs",
        ratio=f"1/{LIMIT_US / took_us:.0f}" if took_us < LIMIT_US else f"{took_us / LIMIT_US:.1f}",
    )
