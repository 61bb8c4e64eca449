"""Many requests in a row: memory, descriptors and tasks return to where they began."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path

import line_faults
import psutil
from chaos.announcement import Announcement, AnnouncementListener
from chaos.system import System, open_system
from fault_line import Fault, Moment

from vieneu_core.errors import VieneuError
from vieneu_core.router import Mode
from vieneu_core.synthesis import SynthesisRequest

SIDE_BY_SIDE = 4
SHARE_BEFORE = 0.05
"""Share of the requests that come before the first measurement: caches and pools fill."""
SETTLE_S = 5.0
"""Idle connections, replays and ended tasks are gone after this."""
GROWTH = 1.10
"""Memory may be larger by this factor: allocators keep what they once had."""
SPARE_FILES = 4
"""Descriptors that may be open more than before: connections that are kept for the next request."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes use."""

    own_mb: float
    server_mb: float
    workers_mb: float
    own_files: int
    server_files: int
    tasks: int
    threads: int
    processes: int

    @classmethod
    def of(cls, system: System) -> Usage:
        """Measure now."""
        gc.collect()
        me, server = psutil.Process(), psutil.Process(system.server.pid)
        workers = [p for p in me.children(recursive=True) if p.pid != server.pid]
        return cls(
            own_mb=_mb(me),
            server_mb=_mb(server),
            workers_mb=sum(map(_mb, workers)),
            own_files=me.num_fds(),
            server_files=server.num_fds(),
            tasks=len(asyncio.all_tasks()),
            threads=me.num_threads(),
            processes=len(workers) + 1,
        )

    def grown_since(self, before: Usage) -> list[str]:
        """Return the names of what did not return to where it was."""
        limits: dict[str, Callable[[float], float]] = {
            "mb": lambda value: value * GROWTH,
            "files": lambda value: value + SPARE_FILES,
        }
        return [
            field.name
            for field in fields(self)
            if getattr(self, field.name)
            > limits.get(field.name.rpartition("_")[2], float)(getattr(before, field.name))
        ]


async def run_requests(n_requests: int, seed: int) -> int:
    """Send the requests; return 0 if all is as it was and nothing was lost, else 1."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_system(Path(folder), chunk_delay_s=0.0) as system:
            requests = Requests(system, seed)
            await requests.send(max(200, round(n_requests * SHARE_BEFORE)))
            _say("| requests | " + " | ".join(field.name for field in fields(Usage)) + " |")
            _say("| --- " * (len(fields(Usage)) + 1) + "|")
            before = after = await _settled(system, requests)
            for _ in range(4):
                await requests.send(n_requests // 4)
                after = await _settled(system, requests)
    grown = after.grown_since(before)
    _say(f"{requests.n_sent} requests, {requests.n_broken} with a broken promise.")
    _say("Grown: " + (", ".join(grown) or "nothing"))
    return int(bool(grown or requests.n_broken))


class Requests:
    """Sends short requests, and lets a few of them go wrong."""

    def __init__(self, system: System, seed: int) -> None:
        self._system = system
        self._rng = random.Random(seed)
        self._numbers = count(1)
        self.n_sent = self.n_broken = 0

    async def send(self, n_requests: int) -> None:
        """Send so many, a few side by side."""
        goal = self.n_sent + n_requests
        await asyncio.gather(*(self._send_until(goal) for _ in range(SIDE_BY_SIDE)))

    async def _send_until(self, goal: int) -> None:
        router, rng = self._system.router, self._rng
        while self.n_sent < goal:
            self.n_sent += 1
            number = next(self._numbers)
            if number % 25 == 0:
                router.set_mode(rng.choice(list(Mode)), require_ready=False)
            if number % 100 == 0:
                act = rng.choice([line_faults.reset, line_faults.bit_flip, line_faults.end_clean])
                self._system.tunnel.faults.append(Fault(rng.choice(list(Moment)), act))
            said = Announcement(
                first=number,
                n_sentences=rng.randrange(1, 4),
                style=rng.choice(["text", "list", "streamed"]),
                plays=False,
            )
            if number % 10 == 0:
                await self._abandon(said)
                continue
            heard = await AnnouncementListener(said).listen(router.stream)
            self.n_broken += heard.verdict.broken or bool(heard.error)

    async def _abandon(self, said: Announcement) -> None:
        stream = self._system.router.stream(SynthesisRequest(text=said.sentences))
        with suppress(VieneuError):
            async with aclosing(stream) as chunks:
                async for _ in chunks:
                    return


async def _settled(system: System, requests: Requests) -> Usage:
    """Measure once everything is at rest, and print a row of the table."""
    system.tunnel.faults.clear()
    system.tunnel.seen.clear()  # the proxy's own record of all requests
    system.tunnel.hang_up()  # how many connections are idle is left to chance
    await asyncio.sleep(SETTLE_S)
    usage = Usage.of(system)
    cells = (f"{getattr(usage, field.name):.0f}" for field in fields(Usage))
    _say(f"| {requests.n_sent} | {' | '.join(cells)} |")
    return usage


def _mb(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return process.memory_info().rss / 1e6
    return 0.0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
