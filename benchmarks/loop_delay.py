"""How late the event loop is while speech is made without a pause, against the same loop idle.

The core runs inside a house's process, whose loop also switches the lights: none of our work may
hold it up. A task that wants to wake every millisecond notes how late it was. Busy means as fast
as it goes, hundreds of times the speed of speech: four streams from a worker process; four from
a server, whose Opus is decoded here; both. The processes share the cores with the loop, so some of
the delay is the machine's and not ours; a real house asks for a hundredth of this.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from report import Row, ms, percentile, times
from servers import server
from speech import BULLETIN

from vieneu_core.backends.base import Backend, synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest

TICK_S, PART_S, N_TURNS, N_STREAMS = 0.001, 1.5, 4, 4


@dataclass
class Found:
    """What was seen in one state of the loop."""

    late_s: list[float] = field(default_factory=list)
    speech_s: float = 0.0
    """Speech that was made meanwhile."""
    took_s: float = 0.0


def measure() -> list[Row]:
    found = asyncio.run(_measure())
    idle = found.pop("idle")
    return [_row(what, busy, idle) for what, busy in found.items()]


async def _measure() -> dict[str, Found]:
    async with _speakers() as (local, remote):
        states: dict[str, Sequence[Backend]] = {
            "idle": (),
            "worker speaks": (local,),
            "server speaks, Opus": (remote,),
            "both": (local, remote),
        }
        found = {state: Found() for state in states}
        for _ in range(N_TURNS):
            for state, backends in states.items():
                await _observe(backends, found[state])
    return found


@asynccontextmanager
async def _speakers() -> AsyncGenerator[tuple[Backend, Backend], None]:
    async with server() as handle:
        local, remote = LocalBackend("espeak"), RemoteBackend(handle.url, handle.token)
        try:
            await local.load()
            await remote.load()
            for backend in (local, remote):
                await synthesize(backend, SynthesisRequest(text=BULLETIN))
            yield local, remote
        finally:
            await local.aclose()
            await remote.aclose()


async def _observe(backends: Sequence[Backend], found: Found) -> None:
    """Let all of them speak for a while, and note how late the loop is."""
    stop = asyncio.Event()
    began_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        streams = [
            group.create_task(_speak_on(backend, stop))
            for backend in backends
            for _ in range(N_STREAMS)
        ]
        found.late_s += await _late_s(PART_S)
        stop.set()
    found.speech_s += sum(stream.result() for stream in streams)
    found.took_s += time.perf_counter() - began_s


async def _speak_on(backend: Backend, stop: asyncio.Event) -> float:
    spoken_s = 0.0
    while not stop.is_set():
        spoken_s += (await synthesize(backend, SynthesisRequest(text=BULLETIN))).seconds
    return spoken_s


async def _late_s(seconds: float) -> list[float]:
    late_s = []
    until_s = time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < until_s:
        await asyncio.sleep(TICK_S)
        late_s.append(time.perf_counter() - began_s - TICK_S)
    return late_s


def _row(what: str, busy: Found, idle: Found) -> Row:
    middle, high, most = (_at(busy, nth) for nth in (50, 99, 100))
    idle_middle, idle_high, idle_most = (_at(idle, nth) for nth in (50, 99, 100))
    speed = busy.speech_s / busy.took_s
    return Row(
        part="Delay of the event loop",
        what=f"{what} ({speed:.0f} times the speed of speech): median, 99 of 100, most",
        measured=f"{ms(middle)}, {ms(high)}, {ms(most)}",
        against=f"idle: {ms(idle_middle)}, {ms(idle_high)}, {ms(idle_most)}",
        ratio=", ".join(
            (times(middle, idle_middle), times(high, idle_high), times(most, idle_most))
        ),
    )


def _at(found: Found, nth: int) -> float:
    return max(found.late_s) if nth == 100 else percentile(found.late_s, nth)
