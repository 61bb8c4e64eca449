"""Deadline of a synthesis, in which only the time counts in which the engine has to work.

Neither waiting for the engine's turn counts nor waiting for the client: for more of a text that it
still writes, or until it has taken some of its audio.
"""

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
        self._paused_at_s: float | None = None
        self._left_s = 0.0
        self._over = False

    def heard(self, chunk: AudioChunk) -> None:
        """Extend the deadline by the time that the request has just waited for its turn."""
        now, ends_at_s = asyncio.get_running_loop().time(), self._timeout.when()
        if self._waiting_since_s is not None and ends_at_s is not None:
            self._timeout.reschedule(ends_at_s + now - self._waiting_since_s)
        self._waiting_since_s = now if chunk.waiting else None

    def pause(self) -> None:
        """Stop it while the client is waited for. Without effect if it is stopped, or over."""
        ends_at_s = self._timeout.when()
        if self._over or self._timeout.expired() or ends_at_s is None:
            return
        self._paused_at_s = asyncio.get_running_loop().time()
        self._left_s = ends_at_s - self._paused_at_s
        self._timeout.reschedule(None)

    def resume(self) -> None:
        """Let it run again, with the time that was left. Without effect if it runs, or is over."""
        if self._over or self._paused_at_s is None:
            return
        now = asyncio.get_running_loop().time()
        self._timeout.reschedule(now + self._left_s)
        if self._waiting_since_s is not None:
            self._waiting_since_s += now - self._paused_at_s
        self._paused_at_s = None

    def end(self) -> None:
        """Record that it is over: what ends after the synthesis changes nothing any more."""
        self._over = True


@asynccontextmanager
async def speaking_deadline(deadline_s: float) -> AsyncIterator[SpeakingDeadline]:
    """Limit the synthesis inside; each of its chunks is reported by `SpeakingDeadline.heard`.

    Raises:
        DeadlineExceededError: it took longer than ``deadline_s`` seconds.
    """
    try:
        async with asyncio.timeout(deadline_s) as timeout:
            deadline = SpeakingDeadline(timeout)
            try:
                yield deadline
            finally:
                deadline.end()
    except TimeoutError as err:
        raise DeadlineExceededError(
            Translatable("The speech took longer than {deadline_s:g} s.", deadline_s=deadline_s)
        ) from err
