"""Text that arrives in pieces, with a limited wait for the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable

from vieneu_core.arguments import expect
from vieneu_core.clock import Clock
from vieneu_core.errors import InvalidRequestError


class IncomingText:
    """Reads the source of a text in one task of its own, one piece each time it is asked.

    Giving up a wait loses nothing: the task goes on reading.

    Args:
        pieces: The source. If it is a generator, `aclose` closes it.
        clock: Clock for the limited wait.
    """

    def __init__(self, pieces: AsyncIterable[str], clock: Clock) -> None:
        self._pieces = pieces
        self._clock = clock
        self._wanted = asyncio.Event()
        self._next: asyncio.Future[str | None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def wait(self, within_s: float | None) -> bool:
        """Wait until the next piece can be taken; return False if it is not there in time.

        Args:
            within_s: Seconds; None waits without a limit.
        """
        following = self._ask()
        if within_s is None:
            await asyncio.wait((following,))
            return True
        timer = asyncio.create_task(self._clock.sleep(within_s))
        try:
            await asyncio.wait((following, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return following.done()

    def take(self) -> str | None:
        """Return the piece that was waited for; None at the end.

        Raises:
            InvalidRequestError: the piece is not a string.
            Exception: whatever the source raises.
        """
        following, self._next = self._ask(), None
        return following.result()

    async def aclose(self) -> None:
        """End the task and close the source."""
        if self._task is None:
            await self._close_source()
            return
        self._closing = True
        self._task.cancel()
        await asyncio.wait((self._task,))
        if self._next is not None and self._next.done() and not self._next.cancelled():
            self._next.exception()  # marks it as retrieved: after an early stop nobody needs it

    def _ask(self) -> asyncio.Future[str | None]:
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.create_task(self._read(), name="read pieces of text")
                self._task.add_done_callback(self._ended)
            self._wanted.set()
        return self._next

    async def _read(self) -> None:
        try:
            await self._wanted.wait()
            self._wanted.clear()
            async for piece in self._pieces:
                if piece == "":  # no text: the wait goes on
                    continue
                expect("A piece of the text", piece, str, "a string", error=InvalidRequestError)
                if self._next is not None and not self._next.done():
                    self._next.set_result(piece)
                await self._wanted.wait()
                self._wanted.clear()
        finally:
            await self._close_source()

    async def _close_source(self) -> None:
        if isinstance(self._pieces, AsyncGenerator):
            await self._pieces.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Hand over how the source ended."""
        error = None if task.cancelled() else task.exception()
        if self._next is None or self._next.done():
            return
        if task.cancelled() and not self._closing:  # by its source: nobody cancelled the request
            self._next.set_exception(
                InvalidRequestError(
                    "The text ended before it was complete: its source was cancelled."
                )
            )
        elif task.cancelled():
            self._next.cancel()
        elif error is not None:
            self._next.set_exception(error)
        else:
            self._next.set_result(None)
