"""What the relay costs over a server alone: first audio, start, and memory for open pages.

Both are real processes with the embedded voice; a client speaks to them alternately, on a warm
connection. A page is what it is to the relay: its files, an event stream that stays open, and its
questions for the status.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from statistics import median

import aiohttp
import psutil
from report import Row, ms
from server_process import ServerHandle, running_relay
from servers import relay, server
from speech import ANNOUNCEMENT

from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest

N_TURNS = 40
N_STARTS = 3
N_PAGES = 50
MOST_MORE_S = 0.005
MOST_START_S = 3.0
MOST_PAGES_MB = 200


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        async with server() as alone, relay(Path(folder)) as relayed:
            alone_s, relayed_s = await _first_audio(alone, relayed)
    starts_s = [await _start_s() for _ in range(N_STARTS)]
    more_s = relayed_s - alone_s
    pages_mb = await _pages_mb()
    return [
        Row(
            part="Relay",
            what="first audio, warm connection",
            measured=f"{ms(relayed_s)} ({ms(more_s)} more)",
            against=f"server alone: {ms(alone_s)}; limit: {ms(MOST_MORE_S)} more",
            ratio=f"{relayed_s / alone_s:.3g} x",
        ),
        Row(
            part="Relay",
            what="from the start of the process to the page",
            measured=f"{median(starts_s):.2f} s",
            against=f"limit: {MOST_START_S:.0f} s",
            ratio=f"1/{MOST_START_S / median(starts_s):.2g}",
        ),
        Row(
            part="Relay",
            what=f"memory for {N_PAGES} open pages",
            measured=f"{pages_mb:.1f} MB",
            against=f"limit: {MOST_PAGES_MB} MB",
            ratio=f"1/{MOST_PAGES_MB / max(pages_mb, 0.1):.2g}",
        ),
    ]


async def _first_audio(*handles: ServerHandle) -> list[float]:
    """Return the median seconds to the first audio of each, measured in turns."""
    remotes = [RemoteBackend(handle.url, handle.token) for handle in handles]
    took_s: list[list[float]] = [[] for _ in remotes]
    try:
        for remote in remotes:
            await remote.load()
            await _first_audio_s(remote)
        for _ in range(N_TURNS):
            for remote, each_s in zip(remotes, took_s, strict=True):
                each_s.append(await _first_audio_s(remote))
    finally:
        for remote in remotes:
            await remote.aclose()
    return [median(each_s) for each_s in took_s]


async def _first_audio_s(remote: RemoteBackend) -> float:
    began_s, first_s = time.perf_counter(), 0.0
    async with aclosing(remote.stream(SynthesisRequest(text=ANNOUNCEMENT))) as chunks:
        async for chunk in chunks:
            if chunk.pcm and not first_s:
                first_s = time.perf_counter()
    return first_s - began_s


async def _start_s() -> float:
    """Return the seconds from the start of the process until the Admin page is served."""
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        async with (
            running_relay(Path(folder), wait_until="/livez") as handle,
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(f"{handle.url}/relay/") as page,
        ):
            await page.read()
            return time.perf_counter() - began_s


async def _pages_mb() -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with _admin(Path(folder)) as (handle, session):
            process = psutil.Process(handle.pid)
            await _open_page(session, handle, AsyncExitStack())  # what is loaded once
            before = process.memory_info().rss
            async with AsyncExitStack() as pages:
                for _ in range(N_PAGES):
                    await _open_page(session, handle, pages)
                return (process.memory_info().rss - before) / 1e6


@asynccontextmanager
async def _admin(folder: Path) -> AsyncIterator[tuple[ServerHandle, aiohttp.ClientSession]]:
    connector = aiohttp.TCPConnector(limit=0)
    async with relay(folder) as handle, aiohttp.ClientSession(connector=connector) as session:
        shown = "Admin token (shown this once): "
        token = next(line for line in handle.output if line.startswith(shown))
        session.headers["Authorization"] = f"Bearer {token.removeprefix(shown)}"
        yield handle, session


async def _open_page(
    session: aiohttp.ClientSession, handle: ServerHandle, pages: AsyncExitStack
) -> None:
    for path in ("/relay/", "/relay/api/status", "/relay/api/cache"):
        async with session.get(handle.url + path) as response:
            await response.read()
    await pages.enter_async_context(session.get(f"{handle.url}/relay/api/events"))
