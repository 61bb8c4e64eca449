"""Bytes on the wire for real Vietnamese speech: our frames against WAV as base64 in JSON.

A free tunnel has a quota of 1 GB a month, and a slow connection has little bandwidth. All bytes of
the TCP stream are counted, in both directions, with headers and the request, on an established
connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from delay_proxy import DelayProxy, delaying
from report import Row
from servers import address, server
from speech import ANNOUNCEMENT, BULLETIN

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.wire import routes

TEXTS = {"one announcement": (ANNOUNCEMENT,), "bulletin of seven sentences": BULLETIN}
BYTES_PER_GB = 1e9

Speak = Callable[[tuple[str, ...]], Awaitable[float]]
"""Speaks sentences and returns how many seconds of speech they are."""


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    async with (
        server() as handle,
        delaying(address(handle)) as line,
        aiohttp.ClientSession(headers=handle.headers) as session,
    ):
        url = f"http://localhost:{line.port}"
        opus = RemoteBackend(url, handle.token, codec="opus")
        pcm = RemoteBackend(url, handle.token, codec="pcm")
        try:
            await opus.load()
            await pcm.load()
            speakers: dict[str, Speak] = {
                "WAV as base64 in JSON": lambda text: _as_json(session, url, text),
                "PCM frames": lambda text: _framed(pcm, text),
                "Opus frames": lambda text: _framed(opus, text),
            }
            return [row for name in TEXTS for row in await _compare(line, name, speakers)]
        finally:
            await opus.aclose()
            await pcm.aclose()


async def _as_json(session: aiohttp.ClientSession, url: str, text: tuple[str, ...]) -> float:
    async with session.post(url + routes.SYNTHESIZE, json={"text": list(text)}) as response:
        response.raise_for_status()
        answer = await response.json()
    return float(answer["duration_ms"]) / 1_000


async def _framed(remote: RemoteBackend, text: tuple[str, ...]) -> float:
    return (await synthesize(remote, SynthesisRequest(text=text))).seconds


async def _compare(line: DelayProxy, name: str, speakers: dict[str, Speak]) -> list[Row]:
    rates: dict[str, float] = {}
    for kind, speak in speakers.items():
        before = line.n_up + line.n_down
        seconds = await speak(TEXTS[name])
        rates[kind] = (line.n_up + line.n_down - before) / seconds
    base = rates.pop("WAV as base64 in JSON")
    return [
        Row(
            part="Bytes on the wire",
            what=f"{kind}, {name}",
            measured=f"{_per_second(rate)}, {_hours(rate)}",
            against=f"WAV as base64 in JSON: {_per_second(base)}, {_hours(base)}",
            ratio=f"1/{base / rate:.1f}",
        )
        for kind, rate in rates.items()
    ]


def _per_second(rate: float) -> str:
    return f"{rate / 1_000:.1f} kB for a second of speech"


def _hours(rate: float) -> str:
    return f"{BYTES_PER_GB / rate / 3_600:.0f} h a GB"
