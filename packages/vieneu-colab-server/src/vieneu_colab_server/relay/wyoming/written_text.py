"""Text of a request while its client still writes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from vieneu_core.errors import TextTooLongError
from vieneu_core.translatable import Translatable


def check_length(n_chars: int, max_chars: int) -> None:
    """Make sure that a text is not too long.

    Raises:
        TextTooLongError: it is.
    """
    if n_chars > max_chars:
        raise TextTooLongError(
            Translatable(
                "The text has more than {max_text_chars} characters, the most that this server"
                " takes.",
                max_text_chars=max_chars,
            )
        )


class WrittenText:
    """Pieces of a text, in order, as they come.

    Args:
        max_chars: Of all pieces together.
    """

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._n_chars = 0
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._begun = asyncio.Event()
        self.added_at_s = asyncio.get_running_loop().time()
        """When the last piece came, by the time of the loop; before that, when the text began."""

    def add(self, piece: str) -> None:
        """Take the next piece.

        Raises:
            TextTooLongError: the text is too long now.
        """
        self._n_chars += len(piece)
        check_length(self._n_chars, self._max_chars)
        if piece:
            self.added_at_s = asyncio.get_running_loop().time()
            self._pieces.put_nowait(piece)
        if piece.strip():
            self._begun.set()

    def end(self) -> None:
        """State that nothing follows."""
        self._pieces.put_nowait(None)
        self._begun.set()

    @property
    def has_begun(self) -> bool:
        """Whether there is something to speak, or the text has ended."""
        return self._begun.is_set()

    async def begun(self) -> None:
        """Wait until there is something to speak, or the text has ended."""
        await self._begun.wait()

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Yield the pieces, once."""
        while (piece := await self._pieces.get()) is not None:
            yield piece
