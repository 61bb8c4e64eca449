"""End of a child process: asked to end first, and killed where it does not."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def end_process(process: asyncio.subprocess.Process, *, timeout_s: float) -> None:
    """End a process and wait until it has ended; without effect on one that has.

    Args:
        process: A child of this program.
        timeout_s: How long it may take to end after SIGTERM, in seconds; then it is killed.
    """
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(timeout_s):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
