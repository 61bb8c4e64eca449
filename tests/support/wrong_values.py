"""Wrong values for any argument, and what becomes of a call that gets one."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

from vieneu_core import AudioChunk, Speaker, SynthesisRequest, VieneuError, Voice
from vieneu_core.router import Mode

SPEAKER = Speaker(backend="local", engine="espeak", voice="vi-north")
CHUNK = AudioChunk(b"\1\0" * 100, 8_000, 0, SPEAKER, final=True)


class Unusual:
    """Nothing that anyone expects."""


def wrong_values() -> list[object]:
    return [
        *(None, True, False, 0, 1, -1, 2.5, -0.1, math.nan, math.inf, 10**400, 1j),
        *("", " ", "nonsense", "v\ud800", "local", "a\0b", "\ud800", "x" * 5_000, "vi-tone"),
        *(b"", b"odd", bytearray(b"ab"), Path("some"), Path()),
        *([], [1], ["a", "b"], (), (1, "a"), {}, {"a": object()}, {1: 2}, {"a": {"b": {3}}}, {1}),
        *(np.float32(1.5), np.float64(1.0), np.int64(3), np.array([1, 2]), Decimal("1.5")),
        *(object(), Unusual(), Unusual, int, len, asynchronous, unending, iter(["a"]), Ellipsis),
        *(CHUNK, SPEAKER, SynthesisRequest, Mode.LOCAL, Voice(id="a", name="a", language="vi")),
    ]


async def asynchronous(_: object) -> None: ...


async def unending() -> AsyncIterator[object]:
    for item in (1, b"a", None):
        yield item


async def drained(chunks: AsyncIterator[object]) -> None:
    async for _ in chunks:
        pass


async def settled(value: object) -> object:
    return await value if inspect.isawaitable(value) else value


async def tried(call: Callable[[], object | Awaitable[object]]) -> VieneuError | None:
    """Return the error of ours that a call ends with; any other one fails the test."""
    try:
        await settled(call())
    except VieneuError as error:
        return error
    return None
