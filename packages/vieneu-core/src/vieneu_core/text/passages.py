"""Grouping of sentences: passages for a backend, and what an engine may know of the next ones.

The first passage is one sentence, so that speech starts early. While it is spoken, the text is
read ahead; each later passage contains all sentences known by then, to save requests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

from vieneu_core.clock import Clock
from vieneu_core.text.sentence_splitter import sentences

_CHARACTERS_PER_SECOND = 12.0
"""Estimated rate of Vietnamese speech at speed 1: 12 to 15 characters a second, at the low end."""
READ_AHEAD = 256
"""Limit on buffered sentences, after which an endless text has to wait."""
MOST_UPCOMING = 7
"""Enough for every engine, which works one step or one batch ahead."""


async def passages(
    found: AsyncGenerator[str, None], *, max_chars: int = 400
) -> AsyncGenerator[tuple[str, ...], None]:
    """Yield sentences in order, grouped into passages.

    Args:
        found: Sentences as they become known, such as those of `sentence_splitter.sentences`;
            closed at the end.
        max_chars: Limit of a passage. A longer sentence is a passage of its own.

    Raises:
        Exception: as the source of the sentences, after all those known before.
    """
    ahead = _ReadAhead(found)
    try:
        passage = await ahead.take(max_chars, most=1)
        while passage:
            yield passage
            passage = await ahead.take(max_chars)
    finally:
        await ahead.aclose()


async def with_upcoming(
    text: str | tuple[str, ...] | AsyncIterable[str], *, clock: Clock | None = None
) -> AsyncGenerator[tuple[str, tuple[str, ...]], None]:
    """Yield each sentence as soon as it is known, with the known sentences after it.

    Args:
        text: As in `vieneu_core.text.sentence_splitter.sentences`.
        clock: As in `sentences`.

    Raises:
        EmptyTextError: there is nothing to speak in the text.
    """
    async with aclosing(sentences(text, clock=clock)) as found:
        if isinstance(text, str | tuple):
            known = [sentence async for sentence in found]
            for index, sentence in enumerate(known, 1):
                yield sentence, tuple(known[index : index + MOST_UPCOMING])
        else:
            async for sentence in found:
                yield sentence, ()


class _ReadAhead:
    """Reads sentences in its own task, which `aclose` ends."""

    def __init__(self, source: AsyncGenerator[str, None]) -> None:
        self._known: deque[str] = deque()
        self._room = asyncio.Semaphore(READ_AHEAD)
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read(source), name="read text ahead")
        self._task.add_done_callback(lambda _: self._news.set())

    async def take(self, max_chars: int, most: int = READ_AHEAD) -> tuple[str, ...]:
        """Return the next sentences, at least one; empty at the end of the text."""
        while not self._known and not self._task.done():
            self._news.clear()
            await self._news.wait()
        if not self._known:
            self._task.result()  # raises the exception of the text's source, if any
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
            self._task.exception()  # marks it as retrieved: after an early stop nobody needs it

    async def _read(self, source: AsyncGenerator[str, None]) -> None:
        async with aclosing(source) as found:
            async for sentence in found:
                await self._room.acquire()
                self._known.append(sentence)
                self._news.set()

    def _pop(self) -> str:
        self._room.release()
        return self._known.popleft()


def estimated_seconds(sentences: tuple[str, ...], speed: float) -> float:
    """Return the estimated duration of these sentences in seconds, rather too long."""
    return sum(map(len, sentences)) / _CHARACTERS_PER_SECOND / speed
