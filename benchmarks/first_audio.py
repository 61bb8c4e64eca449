"""Time to the first audio from a distant server, in round trips.

On an idle connection a request should take one round trip and the server's own time; more would be
a handshake, a redirect or a buffer that waits. On a new connection TCP adds one round trip, and
TLS 1.3 another.

A real server process with the embedded voice, a real `RemoteBackend`, real TCP, and between them
a proxy that holds back each direction by half of the added round trip. The line has no limit of
bytes per second and loses nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from statistics import median

import aiohttp
import trustme
from delay_proxy import DelayProxy, delaying
from report import Row, ms
from servers import address, server
from speech import ANNOUNCEMENT

from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest

ROUND_TRIPS_S = (0.0, 0.1, 0.3, 0.5)
N_TURNS = 5

Times = dict[float, list[float]]
"""Seconds to the first audio, by the round trip that was added."""


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    async with server() as handle:
        async with delaying(address(handle)) as line:
            remote = RemoteBackend(f"http://localhost:{line.port}", handle.token)
            warm, cold = await _both(remote, line)
        async with _tls_line(address(handle)) as (line, session):
            remote = RemoteBackend(f"https://localhost:{line.port}", handle.token, session=session)
            _, cold_tls = await _both(remote, line)
    return [
        *_rows("warm connection", warm),
        *_rows("new connection, TCP", cold),
        *_rows("new connection, TCP and TLS", cold_tls),
    ]


@asynccontextmanager
async def _tls_line(
    upstream: tuple[str, int],
) -> AsyncGenerator[tuple[DelayProxy, aiohttp.ClientSession], None]:
    """Open a long line with TLS over all of it, as a tunnel has, and a session that trusts it."""
    authority = trustme.CA()
    near, far = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(near)
    authority.issue_cert("localhost").configure_cert(far)
    connector = aiohttp.TCPConnector(ssl=near, keepalive_timeout=60)
    async with (
        delaying(upstream, tls=far) as edge,
        delaying(("localhost", edge.port)) as line,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield line, session


async def _both(remote: RemoteBackend, line: DelayProxy) -> tuple[Times, Times]:
    """Measure on a warm connection and on a new one, at each distance in turn."""
    await remote.load()
    await _first_audio_s(remote)
    warm: Times = {round_trip_s: [] for round_trip_s in ROUND_TRIPS_S}
    cold: Times = {round_trip_s: [] for round_trip_s in ROUND_TRIPS_S}
    try:
        for _ in range(N_TURNS):
            for round_trip_s in ROUND_TRIPS_S:
                line.round_trip_s = round_trip_s
                await line.hang_up()
                cold[round_trip_s].append(await _first_audio_s(remote))
                warm[round_trip_s].append(await _first_audio_s(remote))
    finally:
        await remote.aclose()
    return warm, cold


async def _first_audio_s(remote: RemoteBackend) -> float:
    """Speak an announcement to its end; return the seconds until its first samples came."""
    began_s, first_s = time.perf_counter(), 0.0
    async with aclosing(remote.stream(SynthesisRequest(text=ANNOUNCEMENT))) as chunks:
        async for chunk in chunks:
            if chunk.pcm and not first_s:
                first_s = time.perf_counter()
    return first_s - began_s


def _rows(what: str, found: Times) -> list[Row]:
    near_s = median(found[0.0])
    return [_row(what, round_trip_s, median(found[round_trip_s]), near_s) for round_trip_s in found]


def _row(what: str, round_trip_s: float, took_s: float, near_s: float) -> Row:
    trips = f"{(took_s - near_s) / round_trip_s:.2f} round trips" if round_trip_s else "-"
    return Row(
        part="First audio",
        what=f"{what}, {round_trip_s * 1_000:.0f} ms added",
        measured=ms(took_s),
        against=f"nothing added: {ms(near_s)}" if round_trip_s else "-",
        ratio=trips,
    )
