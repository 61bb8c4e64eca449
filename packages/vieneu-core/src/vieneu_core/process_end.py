"""Termination of a child process: SIGTERM first, then SIGKILL."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def end_process(process: asyncio.subprocess.Process, *, timeout_s: float) -> None:
    """End a process and wait for it; without effect if it has ended.

    If the wait is cancelled, the process is killed at once: who cancels it has no time, and nobody
    else may know of the process.

    Args:
        process: A child of this program.
        timeout_s: Seconds until it is killed after SIGTERM.
    """
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
    await process.wait()
