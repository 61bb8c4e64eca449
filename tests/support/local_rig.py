"""Helpers for tests of a local backend over the tone engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from guard import GUARD_S
from tone_engine import expected, heard, same

from vieneu_core.backends.base import BackendState, synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.worker.spec import RestartPolicy, WorkerTimes

TWO = ("Đây là câu 1 nhé.", "Đây là câu 2 nhé.")
AT_ONCE = RestartPolicy(first_delay_s=0.0)
PATIENT = WorkerTimes(start_wait_s=GUARD_S)
Make = Callable[..., LocalBackend]


async def say(backend: LocalBackend, *sentences: str) -> Speech:
    async with asyncio.timeout(GUARD_S):
        return await synthesize(backend, SynthesisRequest(text=sentences))


async def check_speaks(backend: LocalBackend) -> None:
    speech = await say(backend, *TWO)
    assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in TWO])


async def state(backend: LocalBackend) -> BackendState:
    return (await backend.health()).state


async def is_ready(backend: LocalBackend) -> bool:
    return (await backend.health()).ready
