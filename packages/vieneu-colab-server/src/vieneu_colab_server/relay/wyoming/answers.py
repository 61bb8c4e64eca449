"""The answers of one connection: each given in its turn, or made to fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from vieneu_colab_server.disconnect import ClientGoneError
from vieneu_core.errors import (
    BackendDrainingError,
    InternalServerError,
    StreamInterruptedError,
    VieneuError,
)

_LOGGER = logging.getLogger(__name__)
Work = Callable[[], Coroutine[Any, Any, None]]
SendError = Callable[[VieneuError], Awaitable[None]]


class Answer:
    """Work for one request, which ends with an ``error`` event where it fails."""

    def __init__(self, work: Work | None, failure: VieneuError | None = None) -> None:
        self._work = work
        self._failure = failure
        self._task: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether it was given, or has failed."""
        return self._failure is not None or (self._task is not None and self._task.done())

    def fail(self, error: VieneuError) -> None:
        """Stop it, and send this error in its turn. One that has ended stays as it is."""
        if self.ended:
            return
        self._failure = error
        if self._task is not None:
            self._task.cancel()

    async def give(self, send_error: SendError) -> None:
        """Do the work. Cancelled, it stops the work first.

        Raises:
            ClientGoneError: the client reads nothing any more.
        """
        if self._failure is None and self._work is not None:
            self._failure = await self._failure_of(self._work)
        if self._failure is not None:
            _LOGGER.info("Answered with %s.", self._failure.code)
            await send_error(self._failure)

    async def _failure_of(self, work: Work) -> VieneuError | None:
        self._task = asyncio.create_task(work())
        try:
            await asyncio.wait({self._task})
        finally:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._task.cancelled():
            return self._failure or StreamInterruptedError("The speech was stopped.")
        error = self._task.exception()
        if error is None or isinstance(error, VieneuError):
            return error
        if isinstance(error, ClientGoneError):
            raise error
        _LOGGER.error("A request failed in an unexpected way.", exc_info=error)
        return InternalServerError("The server failed in an unexpected way.")


class Answers:
    """Gives answers in order.

    Args:
        send_error: Sends an ``error`` event.
        max_pending: Requests that wait for their turn; `ask` waits with the next one.
    """

    def __init__(self, send_error: SendError, *, max_pending: int) -> None:
        self._send_error = send_error
        self._pending: asyncio.Queue[Answer | None] = asyncio.Queue(max_pending)
        self._given: Answer | None = None
        self._draining = False

    @property
    def idle(self) -> bool:
        """Whether none is being given, and none waits."""
        return self._given is None and self._pending.empty()

    @property
    def full(self) -> bool:
        """Whether `ask` would wait with one more."""
        return self._pending.full()

    async def ask(self, work: Work) -> Answer:
        """Have some work done in its turn."""
        draining = BackendDrainingError("The server is shutting down.")
        return await self._put(Answer(work, draining if self._draining else None))

    async def refuse(self, error: VieneuError) -> Answer:
        """Have an error sent in its turn."""
        return await self._put(Answer(None, error))

    async def give(self) -> None:
        """Give the answers; returns once it drains and has given all.

        Raises:
            ClientGoneError: the client reads nothing any more.
        """
        while not (self._draining and self._pending.empty()):
            self._given = await self._pending.get()
            if self._given is not None:
                await self._given.give(self._send_error)
            self._given = None

    def drain(self) -> None:
        """Refuse new requests, and end once those that are there are answered."""
        if self.idle and not self._draining:
            self._pending.put_nowait(None)  # wakes `give`
        self._draining = True

    def stop(self, error: VieneuError) -> None:
        """Answer everything that runs or waits with this error, and end."""
        waiting = [self._pending.get_nowait() for _ in range(self._pending.qsize())]
        for answer in (self._given, *waiting):
            if answer is not None:
                answer.fail(error)
        for answer in waiting:
            self._pending.put_nowait(answer)
        self.drain()

    async def _put(self, answer: Answer) -> Answer:
        await self._pending.put(answer)
        return answer
