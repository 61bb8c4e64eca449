"""Sentences into passages, the runs of sentences that go to a backend together.

The first passage is one sentence, so that speech starts early. While it is spoken the text is
read ahead, and each later passage takes what has become known, so that fewer requests are made.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

from vieneu_core.text.sentence_splitter import sentences

READ_AHEAD = 256
"""Sentences held at most: an endless text waits for its speech."""


async def passages(
    text: str | tuple[str, ...] | AsyncIterable[str], *, max_chars: int = 400
) -> AsyncGenerator[tuple[str, ...], None]:
    """Yield the sentences of a text in order, gathered into passages.

    Args:
        text: As in `vieneu_core.text.sentence_splitter.sentences`.
        max_chars: Characters of a passage. A longer sentence is a passage of its own.

    Raises:
        EmptyTextError: there is nothing to speak in the text.
        Exception: whatever the source of the text raised, after all sentences known before.
    """
    ahead = _ReadAhead(text)
    try:
        passage = await ahead.take(max_chars, most=1)
        while passage:
            yield passage
            passage = await ahead.take(max_chars)
    finally:
        await ahead.aclose()


class _ReadAhead:
    """Reads a text in a task of its own, which `aclose` ends."""

    def __init__(self, text: str | tuple[str, ...] | AsyncIterable[str]) -> None:
        self._known: deque[str] = deque()
        self._room = asyncio.Semaphore(READ_AHEAD)
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read(text), name="read text ahead")
        self._task.add_done_callback(lambda _: self._news.set())

    async def take(self, max_chars: int, most: int = READ_AHEAD) -> tuple[str, ...]:
        """Return the next sentences, at least one; none at the end of the text."""
        while not self._known and not self._task.done():
            self._news.clear()
            await self._news.wait()
        if not self._known:
            self._task.result()  # raises what ended the text, if it was not its end
            return ()
        taken = [self._pop()]
        room = max_chars - len(taken[0])
        while self._known and len(taken) < most and len(self._known[0]) <= room:
            taken.append(self._pop())
            room -= len(taken[-1])
        return tuple(taken)

    async def aclose(self) -> None:
        """End the task."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()  # seen: where the caller stopped early nobody asks for it

    async def _read(self, text: str | tuple[str, ...] | AsyncIterable[str]) -> None:
        async with aclosing(sentences(text)) as found:
            async for sentence in found:
                await self._room.acquire()
                self._known.append(sentence)
                self._news.set()

    def _pop(self) -> str:
        self._room.release()
        return self._known.popleft()
