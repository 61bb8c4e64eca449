"""Reading of a text: the words of the user's dictionary, and the lengths of the pauses."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from vieneu_core.audio.pauses import NO_PAUSES, Pauses, with_pauses
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.clock import Clock
from vieneu_core.text.clean import Break
from vieneu_core.text.passages import passages
from vieneu_core.text.sentence_splitter import (
    Sentence,
    fitting,
    placed_sentences,
    read_sentences,
)
from vieneu_core.text.speech_pauses import pause_between
from vieneu_core.text.user_dictionary import NO_ENTRIES, UserDictionary


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The user's choices for the reading of any text."""

    dictionary: UserDictionary = NO_ENTRIES
    pauses: Pauses = NO_PAUSES


class Reader:
    """Reads one text: yields its sentences as they are sent to a backend, and knows the pauses.

    Args:
        reading: The user's choices.
        speed: Rate of speech, by which pauses are divided: who speaks faster pauses for less.
    """

    def __init__(self, reading: Reading, *, speed: float) -> None:
        self._reading = reading
        self._is_paced = reading.pauses != NO_PAUSES
        self._speed = speed
        self._previous = ""
        self._n_read = 0
        self._pauses_s: dict[int, float] = {}

    def whole(self, text: str | tuple[str, ...]) -> tuple[tuple[str, float], ...]:
        """Return the sentences of a whole text, each with the pause before it in seconds.

        Raises:
            EmptyTextError: nothing in the text can be spoken.
        """
        return tuple(
            (text, self._pause_before_s(index)) for index, text in enumerate(self.texts(text))
        )

    def texts(self, text: str | tuple[str, ...]) -> tuple[str, ...]:
        """Return the sentences of a whole text; errors as of `whole`."""
        return tuple(part for _, parts in self.by_sentence(text) for part in parts)

    def by_sentence(self, text: str | tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return each sentence as written, and what a backend gets of it; errors as of `whole`."""
        return tuple(
            (sentence.text, tuple(self._read(sentence))) for sentence in placed_sentences(text)
        )

    def passages(
        self, text: str | tuple[str, ...] | AsyncIterable[str], clock: Clock
    ) -> AsyncGenerator[tuple[str, ...], None]:
        """Yield the sentences in passages; see `passages` and, for arguments, `read_sentences`."""
        return passages(self._sentences(text, clock))

    def paced(self, chunks: AsyncGenerator[AudioChunk, None]) -> AsyncGenerator[AudioChunk, None]:
        """Return the speech of these sentences with the pauses between them, which closes it."""
        return with_pauses(chunks, self._pause_before_s) if self._is_paced else chunks

    async def _sentences(
        self, text: str | tuple[str, ...] | AsyncIterable[str], clock: Clock
    ) -> AsyncGenerator[str, None]:
        async with aclosing(read_sentences(text, clock=clock)) as found:
            async for sentence in found:
                for part in self._read(sentence):
                    yield part

    def _pause_before_s(self, index: int) -> float:
        """Return the pause before a sentence, once: an endless text must not grow without end."""
        return self._pauses_s.pop(index, 0.0)

    def _read(self, sentence: Sentence) -> Iterator[str]:
        before = sentence.before
        for part in fitting(self._reading.dictionary.applied(sentence.text)):
            if self._n_read and self._is_paced:
                pause_s = pause_between(self._previous, before, self._reading.pauses)
                self._pauses_s[self._n_read] = pause_s / self._speed
            self._n_read += 1
            self._previous, before = part, Break.SPACE
            yield part
        self._previous = sentence.text  # an entry such as "v.v." may have taken its end mark away
