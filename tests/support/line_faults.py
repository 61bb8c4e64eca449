"""What can go wrong on the line to a client: functions that act on a `Line`."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import suppress
from pathlib import Path

from fault_line import LAST_CHUNK, Act, Line

EDGE_REPLIES = Path(__file__).parent / "fixtures" / "edge"


async def reset(line: Line) -> None:
    line.reset()


async def half_open(line: Line) -> None:
    await line.silence()


async def close_dirty(line: Line) -> None:
    line.close()


async def end_clean(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send(LAST_CHUNK)


async def held_to_its_end(line: Line) -> None:
    """Send what is left in one piece, as an edge does that buffers answers."""
    data = b"".join([data async for data in line.rest])
    if line.head:
        await line.send(line.head)
    await line.send_chunk(data)
    await line.send(LAST_CHUNK)


async def garbage(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send_chunk(bytes(range(255, 0, -1)))
    await line.pass_on()


async def broken_chunks(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send(b"zzzz\r\nthis is no chunk\r\n")


async def web_page(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    await line.send_chunk(b"<!DOCTYPE html><html><head><title>Oops</title></head></html>")
    await line.send(LAST_CHUNK)


async def bit_flip(line: Line) -> None:
    if line.head:
        await line.send(line.head)
    data = bytearray(await anext(line.rest))
    data[len(data) // 2] ^= 0x10
    await line.send_chunk(bytes(data))
    await line.pass_on()


async def gzip_bytes(line: Line) -> None:
    """Compress what is left, and say nothing of it in the head."""
    if line.head:
        await line.send(line.head)
    await line.send_chunk(gzip.compress(b"".join([data async for data in line.rest])))
    await line.send(LAST_CHUNK)


async def gzip_coded(line: Line) -> None:
    """Compress it, and say so, though the client forbade it."""
    await line.send(line.head.replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1))
    await line.send_chunk(gzip.compress(b"".join([data async for data in line.rest])))
    await line.send(LAST_CHUNK)


async def not_http(line: Line) -> None:
    await line.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is no HTTP\r\n\r\n")
    line.close()


async def endless_header(line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    with suppress(ConnectionError):
        for _ in range(64):
            await line.send(b"a" * 65_536)
    line.close()


def trickle(seconds: float, *, n_bytes: int = 2) -> Act:
    """Send what is left a few bytes at a time."""

    async def act(line: Line) -> None:
        if line.head:
            await line.send(line.head)
        async for data in line.rest:
            for at in range(0, len(data), n_bytes):
                await line.send_chunk(data[at : at + n_bytes])
                await asyncio.sleep(seconds)

    return act


def held(gate: asyncio.Event) -> Act:
    """Hold what is left until the gate opens."""

    async def act(line: Line) -> None:
        if line.head:
            await line.send(line.head)
        await gate.wait()
        await line.pass_on()

    return act


def reply_with(recorded: bytes) -> Act:
    """Answer with a recorded reply in place of the server."""

    async def act(line: Line) -> None:
        await line.send(recorded)
        line.close()

    return act


def edge_reply(name: str) -> bytes:
    """Return a recorded reply as bytes of HTTP."""
    head, _, body = (EDGE_REPLIES / f"{name}.http").read_bytes().partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.startswith(b"Content-Length")]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
