"""Delay of the event loop during continuous synthesis, compared with the idle loop.

The core runs inside Home Assistant's process, whose loop also switches the lights, so it must never
block the loop. A task that is to wake every millisecond records its delay.

The first case is realistic: one announcement at a time from a server at five times the speed of
speech, whose Opus is decoded here. The others run at hundreds of times the speed of speech: four
streams from a worker process, four from a server, and both. The processes share the cores with the
loop, so a part of the delay is caused by the machine: a loop beside two unrelated busy processes
shows how much.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from report import Row, ms, percentile, times
from servers import TONES, server
from speech import ANNOUNCEMENT, BULLETIN

from vieneu_core.backends.base import Backend, synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest

TICK_S, PART_S, N_TURNS = 0.001, 1.5, 4
NEURAL = {"chunk_delay_s": 0.02}
"""Chunks are of 0.1 s, so this is a real-time factor of 0.2."""


@dataclass
class Found:
    """What was seen in one state of Home Assistant."""

    late_s: list[float] = field(default_factory=list)
    speech_s: float = 0.0
    """Speech that was made meanwhile."""
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """What goes on beside the loop."""

    what: str
    backends: tuple[Backend, ...] = ()
    n_streams: int = 4
    """At once, from each backend."""
    text: tuple[str, ...] = BULLETIN
    n_others: int = 0
    """Processes that only burn time."""


def measure() -> list[Row]:
    found = asyncio.run(_measure())
    idle = found.pop("idle")
    return [_row(what, busy, idle) for what, busy in found.items()]


async def _measure() -> dict[str, Found]:
    async with _speakers() as (neural, remote, local):
        states = (
            State("idle"),
            State("two other processes busy", n_others=2),
            State("one announcement at a time, Opus", (neural,), 1, (ANNOUNCEMENT,)),
            State("a worker at its fastest", (local,)),
            State("a server at its fastest, Opus", (remote,)),
            State("both at their fastest", (local, remote)),
        )
        found = {state.what: Found() for state in states}
        for _ in range(N_TURNS):
            for state in states:
                with _others(state.n_others):
                    await _observe(state, found[state.what])
    return found


@contextmanager
def _others(n: int) -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@asynccontextmanager
async def _speakers() -> AsyncGenerator[tuple[Backend, Backend, Backend], None]:
    async with server(TONES, options=NEURAL) as slow, server() as fast:
        backends: tuple[Backend, Backend, Backend] = (
            RemoteBackend(slow.url, slow.token),
            RemoteBackend(fast.url, fast.token),
            LocalBackend("espeak"),
        )
        try:
            for backend in backends:
                await backend.load()
                await synthesize(backend, SynthesisRequest(text=ANNOUNCEMENT))
            yield backends
        finally:
            for backend in backends:
                await backend.aclose()


async def _observe(state: State, found: Found) -> None:
    """Let all of them speak for a while, and note how late the loop is."""
    stop = asyncio.Event()
    began_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        streams = [
            group.create_task(_speak_on(backend, state.text, stop))
            for backend in state.backends
            for _ in range(state.n_streams)
        ]
        found.late_s += await _late_s(PART_S)
        stop.set()
    found.speech_s += sum(stream.result() for stream in streams)
    found.took_s += time.perf_counter() - began_s


async def _speak_on(backend: Backend, text: tuple[str, ...], stop: asyncio.Event) -> float:
    spoken_s = 0.0
    while not stop.is_set():
        spoken_s += (await synthesize(backend, SynthesisRequest(text=text))).seconds
    return spoken_s


async def _late_s(seconds: float) -> list[float]:
    late_s = []
    until_s = time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < until_s:
        await asyncio.sleep(TICK_S)
        late_s.append(time.perf_counter() - began_s - TICK_S)
    return late_s


def _row(what: str, busy: Found, idle: Found) -> Row:
    middle, high, most = (percentile(busy.late_s, nth) for nth in (50, 99, 100))
    idle_middle, idle_high, idle_most = (percentile(idle.late_s, nth) for nth in (50, 99, 100))
    speed = busy.speech_s / busy.took_s
    speaking = f", {speed:.0f} times the speed of speech" if speed else ""
    return Row(
        part="Delay of the event loop",
        what=f"{what}{speaking}: median, 99 of 100, most",
        measured=f"{ms(middle)}, {ms(high)}, {ms(most)}",
        against=f"idle: {ms(idle_middle)}, {ms(idle_high)}, {ms(idle_most)}",
        ratio=", ".join(
            (times(middle, idle_middle), times(high, idle_high), times(most, idle_most))
        ),
    )
