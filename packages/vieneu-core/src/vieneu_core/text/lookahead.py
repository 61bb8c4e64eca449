"""Iteration over sentences, each with the already known sentences after it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

from vieneu_core.text.sentence_splitter import sentences

MOST_UPCOMING = 7
"""Enough for every engine, which works one step or one batch ahead."""


async def with_upcoming(
    text: str | tuple[str, ...] | AsyncIterable[str],
) -> AsyncGenerator[tuple[str, tuple[str, ...]], None]:
    """Yield each sentence as soon as it is known, with the known sentences after it.

    Args:
        text: As in `vieneu_core.text.sentence_splitter.sentences`.

    Raises:
        EmptyTextError: there is nothing to speak in the text.
    """
    async with aclosing(sentences(text)) as found:
        if isinstance(text, str | tuple):
            known = [sentence async for sentence in found]
            for index, sentence in enumerate(known, 1):
                yield sentence, tuple(known[index : index + MOST_UPCOMING])
        else:
            async for sentence in found:
                yield sentence, ()
