"""The reading of texts that is in force now: pauses, and a dictionary, also from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from vieneu_core.arguments import expect
from vieneu_core.audio.pauses import Pauses
from vieneu_core.clock import Clock
from vieneu_core.text.reading import Reading
from vieneu_core.text.user_dictionary import NO_ENTRIES, UserDictionary
from vieneu_core.text.watched_dictionary_file import DictionaryFile

CHECK_EVERY_S = 1.0
"""Seconds between two checks of the file."""
FIRST_READ_WITHIN_S = 2.0
"""Longest wait for the file at the start, in seconds; a slow disk must not keep speech back."""

Entries = UserDictionary | DictionaryFile
"""Entries, or the file that has them."""


class CurrentReading:
    """Knows what holds now; a file is read on a thread, and again when it changes.

    Args:
        dictionary: The user's entries, if any.
        pauses: Returns the pauses that hold now.
        clock: Measures the time between two checks of the file.

    Raises:
        ConfigurationError: the dictionary has another type.
    """

    def __init__(
        self, dictionary: Entries | None, pauses: Callable[[], Pauses], clock: Clock
    ) -> None:
        self._entries = _checked(NO_ENTRIES if dictionary is None else dictionary)
        self._pauses = pauses
        self._clock = clock
        self._started = False
        self._following: asyncio.Task[None] | None = None

    @property
    def now(self) -> Reading:
        """What holds for the next request."""
        entries = self._entries
        dictionary = entries.current if isinstance(entries, DictionaryFile) else entries
        return Reading(dictionary=dictionary, pauses=self._pauses())

    @property
    def file(self) -> DictionaryFile | None:
        """The file that is followed, if any."""
        return self._entries if isinstance(self._entries, DictionaryFile) else None

    async def use(self, dictionary: Entries | None) -> None:
        """Use other entries, or another file, from the next request on.

        Raises:
            ConfigurationError: the dictionary has another type.
        """
        entries = _checked(NO_ENTRIES if dictionary is None else dictionary)
        await self._unfollow()
        self._entries = entries
        if self._started:
            await self.start()

    async def start(self) -> None:
        """Read the file, if there is one, and follow it."""
        self._started = True
        file = self.file
        if file is None or self._following is not None:
            return
        read = asyncio.Event()
        self._following = asyncio.create_task(self._follow(file, read), name="follow-dictionary")
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_READ_WITHIN_S):
                await read.wait()

    async def stop(self) -> None:
        """Stop following; what was read stays."""
        self._started = False
        await self._unfollow()

    async def _unfollow(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.wait({following})

    async def _follow(self, file: DictionaryFile, read: asyncio.Event) -> None:
        while True:
            await file.refresh()
            read.set()
            await self._clock.sleep(CHECK_EVERY_S)


def _checked(dictionary: Entries) -> Entries:
    expected = "a UserDictionary, a DictionaryFile, or None"
    expect("dictionary", dictionary, (UserDictionary, DictionaryFile), expected)
    return dictionary
