"""Many at once, and many in a row: nothing is lost, and nothing grows."""

from __future__ import annotations

import asyncio
import gc

import psutil
import pytest
from router_rig import speakers
from system_rig import OpenSystem, SystemRig, nothing_lost, sentences

from vieneu_core.router import Mode, RouterPolicy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

UNLIMITED = {
    "VIENEU_SERVER_REQUESTS_PER_MINUTE": "1000000",
    "VIENEU_SERVER_MAX_QUEUE": "100",
    "VIENEU_SERVER_REPLAY_KEEP_S": "1",  # what is kept for a retry is not a leak
}


async def test_fifty_streams_in_flight_while_the_mode_flips_a_thousand_times(
    rigs: OpenSystem,
) -> None:
    rig = await rigs(UNLIMITED, mode=Mode.LOCAL)
    n_flips = 0
    backends: set[str] = set()

    async def speak(number: int) -> None:
        said = sentences(3, first=number)
        chunks = await rig.speak(" ".join(said))
        nothing_lost(chunks, said)
        backends.update(speakers(chunks))

    streams = [asyncio.create_task(speak(number)) for number in range(50)]
    while n_flips < 1000 or not all(stream.done() for stream in streams):
        mode = Mode.REMOTE if n_flips % 2 == 0 else Mode.LOCAL
        # Fifty at once may be more than a backend can make in time: then another one speaks.
        rig.router.set_mode(mode, require_ready=False)
        n_flips += 1
        await asyncio.sleep(0.002)
        if n_flips < 1000:  # always fifty in flight
            for i, stream in enumerate(streams):
                if stream.done():
                    stream.result()
                    streams[i] = asyncio.create_task(speak(i))
    await asyncio.gather(*streams)
    # Where a busy machine makes both too slow for fifty at once, the last resort speaks too.
    assert backends >= {"local", "remote"}


def measure(rig: SystemRig) -> dict[str, float]:
    gc.collect()
    me = psutil.Process()
    assert rig.server is not None
    server = psutil.Process(rig.server.pid)
    family = [server, *server.children(recursive=True), *me.children(recursive=True)]
    return {
        "own memory": me.memory_info().rss,
        "family memory": sum(p.memory_info().rss for p in family if p.is_running()),
        "own files": me.num_fds(),
        "server files": server.num_fds(),
        "tasks": len(asyncio.all_tasks()),
        "threads": me.num_threads(),
    }


async def test_five_thousand_requests_leave_memory_files_and_tasks_flat(rigs: OpenSystem) -> None:
    rig = await rigs(UNLIMITED, policy=RouterPolicy(fallback_enabled=False))
    text = sentences(1)

    async def some(n: int) -> None:
        for _ in range(n // 4):
            for chunks in await asyncio.gather(*(rig.speak(text[0]) for _ in range(4))):
                assert speakers(chunks) == ["remote"]
        nothing_lost(chunks, text)

    await some(1000)
    before = measure(rig)
    await some(4000)
    after = measure(rig)
    for what in ("own memory", "family memory"):
        assert after[what] - before[what] < 24 << 20, (what, before, after)
    for what in ("own files", "server files", "tasks", "threads"):
        assert after[what] <= before[what] + 3, (what, before, after)
