"""Bounded queue of requests: first come, first served; a full queue refuses requests."""

from __future__ import annotations

import asyncio

from vieneu_core.errors import BackendBusyError
from vieneu_core.translatable import Translatable


class SpeechQueue:
    """A bounded queue in front of a backend."""

    def __init__(self, *, max_waiting: int, max_running: int, retry_after_s: float) -> None:
        self._running = asyncio.Semaphore(max_running)
        self._max_depth = max_waiting + max_running
        self._retry_after_s = retry_after_s
        self._depth = 0

    @property
    def depth(self) -> int:
        """Requests waiting or running."""
        return self._depth

    def enter(self) -> Ticket:
        """Enter the queue; the caller must call `Ticket.leave`.

        Raises:
            BackendBusyError: the queue is full.
        """
        if self._depth >= self._max_depth:
            raise self.busy("The queue is full")
        self._depth += 1
        return Ticket(self, self._running)

    def busy(self, reason: str) -> BackendBusyError:
        """Return the error for a request that is refused, or that waits too long."""
        return BackendBusyError(
            Translatable(
                "{reason}: {depth} requests are waiting or being spoken.",
                reason=reason,
                depth=self._depth,
            ),
            retry_after_s=self._retry_after_s,
        )

    def give_back(self) -> None:
        """Let the next ticket run."""
        self._depth -= 1


class Ticket:
    """Position in a `SpeechQueue`."""

    def __init__(self, queue: SpeechQueue, running: asyncio.Semaphore) -> None:
        self._queue = queue
        self._running = running
        self._has_turn = False
        self._left = False

    async def turn(self) -> None:
        """Wait for this ticket's turn."""
        await self._running.acquire()
        self._has_turn = True

    def leave(self) -> None:
        """Leave the queue. Without effect if it has left."""
        if self._left:
            return
        self._left = True
        self._queue.give_back()
        if self._has_turn:
            self._running.release()
