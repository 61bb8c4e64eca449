"""Deadline of a synthesis, in which waiting for the engine's turn does not count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import DeadlineExceededError
from vieneu_core.translatable import Translatable


class SpeakingDeadline:
    """A running deadline; see `speaking_deadline`."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout
        self._waiting_since_s: float | None = None

    def heard(self, chunk: AudioChunk) -> None:
        """Extend the deadline by the time that the request has just waited for its turn."""
        now, ends_at_s = asyncio.get_running_loop().time(), self._timeout.when()
        if self._waiting_since_s is not None and ends_at_s is not None:
            self._timeout.reschedule(ends_at_s + now - self._waiting_since_s)
        self._waiting_since_s = now if chunk.waiting else None


@asynccontextmanager
async def speaking_deadline(deadline_s: float) -> AsyncIterator[SpeakingDeadline]:
    """Limit the synthesis inside; each of its chunks is reported by `SpeakingDeadline.heard`.

    Raises:
        DeadlineExceededError: it took longer than ``deadline_s`` seconds.
    """
    try:
        async with asyncio.timeout(deadline_s) as timeout:
            yield SpeakingDeadline(timeout)
    except TimeoutError as err:
        raise DeadlineExceededError(
            Translatable("The speech took longer than {deadline_s:g} s.", deadline_s=deadline_s)
        ) from err
