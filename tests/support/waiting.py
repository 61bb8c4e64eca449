"""Waiting for what nothing announces, such as the work of another process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isawaitable

from guard import GUARD_S


async def until(condition: Callable[[], object], *, within_s: float = GUARD_S) -> None:
    """Wait until a condition is true; it may be a coroutine function."""
    async with asyncio.timeout(within_s):
        while True:
            result = condition()
            if await result if isawaitable(result) else result:
                return
            await asyncio.sleep(0.005)
