"""A child process is ended in order, and killed where it ignores that."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest
from guard import GUARD_S

from vieneu_core.process_end import end_process

PATIENT = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"


async def running(script: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


@pytest.mark.parametrize(
    ("script", "timeout_s", "sign"),
    [(PATIENT, GUARD_S, signal.SIGTERM), (STUBBORN, 0.2, signal.SIGKILL)],
)
async def test_it_is_asked_to_end_and_killed_where_it_does_not(
    script: str, timeout_s: float, sign: signal.Signals
) -> None:
    process = await running(script)
    await end_process(process, timeout_s=timeout_s)
    assert process.returncode == -sign
    await end_process(process, timeout_s=timeout_s)  # without effect


async def test_it_is_killed_at_once_where_the_wait_is_cancelled() -> None:
    process = await running(STUBBORN)
    ending = asyncio.create_task(end_process(process, timeout_s=GUARD_S))
    await asyncio.sleep(0)  # it has been asked to end
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert await process.wait() == -signal.SIGKILL
