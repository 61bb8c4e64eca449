"""Splitting of text into sentences, also while it is still being written.

The library sentence-stream decides where a sentence ends. Rules for speech are added
here: a line break ends a sentence, unspeakable text is dropped, no sentence is longer than an
engine accepts, and the sentences do not depend on how the text was split into pieces. Only a pause
of the writer ends a sentence earlier (see `writer_pause`).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from sentence_stream import SentenceBoundaryDetector

from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import EmptyTextError, NothingToSayError
from vieneu_core.text.clean import (
    Break,
    Word,
    WordReader,
    has_speech,
    joins_previous,
    one_line,
    plain,
)
from vieneu_core.text.incoming_text import IncomingText
from vieneu_core.text.markup import Markup
from vieneu_core.text.writer_pause import (
    END_PAUSE_S,
    pause_after,
    starts_sentence,
    without_marks,
)

MAX_SENTENCE_CHARS = 300
"""A longer sentence is split at a comma, else at a space, else anywhere."""

# No split at the comma in "25,5", the colon in "7:30", or the hyphen in a word.
# The escapes are the Chinese comma, semicolon and colon, and two dashes.
_CLAUSE_END = re.compile(
    r"[;:,](?=\s)|[\uff0c\u3001\uff1b\uff1a]|[\u2013\u2014](?!\w)|(?<=\s)-(?=\s)"
)
_SEEN_CHARS = 1000
_DEGREES = re.compile(r"\d°[CF]\.$")
_MARKER = re.compile(r"\(?(?:\d{1,3}|[a-zđ])[.)]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and what separates it from the one before."""

    text: str
    before: Break = Break.SPACE
    """The strongest break since the sentence before; of the first one it means nothing."""


def split_sentences(text: str) -> tuple[str, ...]:
    """Split a text into sentences, each of at most `MAX_SENTENCE_CHARS` characters.

    Raises:
        EmptyTextError: nothing in the text can be spoken; the message contains the reason.
            If it has content all the same, it is a `NothingToSayError`.
    """
    return tuple(sentence.text for sentence in placed_sentences(text))


def placed_sentences(text: str | tuple[str, ...]) -> tuple[Sentence, ...]:
    """Return the sentences of a whole text, or those given; errors as of `split_sentences`."""
    if isinstance(text, tuple):
        return tuple(map(Sentence, given_sentences(text)))
    splitter = SentenceSplitter()
    return (*splitter.push(text), *splitter.finish())


async def sentences(
    text: str | tuple[str, ...] | AsyncIterable[str], *, clock: Clock | None = None
) -> AsyncGenerator[str, None]:
    """Yield the text of each sentence as soon as it is known; see `read_sentences`."""
    async with aclosing(read_sentences(text, clock=clock)) as found:
        async for sentence in found:
            yield sentence.text


async def read_sentences(
    text: str | tuple[str, ...] | AsyncIterable[str], *, clock: Clock | None = None
) -> AsyncGenerator[Sentence, None]:
    """Yield each sentence as soon as it is known.

    Args:
        text: A text; or sentences, which are cleaned but not split, and omitted if they
            have nothing to speak; or pieces of a text as they are written. If no more text comes
            for `writer_pause.END_PAUSE_S` after an end mark, the sentence has ended.
        clock: Clock for that pause; None means the machine's.

    Raises:
        EmptyTextError: nothing in the text can be spoken; the message contains the reason.
        InvalidRequestError: a piece is not a string.
    """
    if isinstance(text, str | tuple):
        for sentence in placed_sentences(text):
            yield sentence
    else:
        clock = SystemClock() if clock is None else clock
        async with aclosing(_of_pieces(text, clock)) as found:
            async for sentence in found:
                yield sentence


def given_sentences(given: tuple[str, ...]) -> list[str]:
    """Clean sentences that were given as such; leave out those without speech.

    Raises:
        EmptyTextError: there is nothing to speak in all of them.
    """
    cleaned = [line for line in map(one_line, given) if has_speech(line)]
    if not cleaned:
        raise _empty_text("".join(given))
    return cleaned


async def _of_pieces(pieces: AsyncIterable[str], clock: Clock) -> AsyncGenerator[Sentence, None]:
    splitter = SentenceSplitter()
    async with aclosing(IncomingText(pieces, clock)) as source:
        try:
            while True:
                if not await source.wait(splitter.pause_s):
                    for sentence in splitter.pause():
                        yield sentence
                    continue
                if (piece := source.take()) is None:
                    break
                for sentence in splitter.push(piece):
                    yield sentence
        except Exception:
            # The source of the text failed: the text before is still spoken, then this is raised.
            for sentence in splitter.leftover():
                yield sentence
            raise
    for sentence in splitter.finish():
        yield sentence


class SentenceSplitter:
    """Splits a text that arrives in pieces. Blocking, but fast: no input or output."""

    def __init__(self) -> None:
        self._markup = Markup()
        self._reader = WordReader()
        self._detector = SentenceBoundaryDetector()
        self._marker = ""  # "1." of a list item: it is spoken with the item
        self._in_line = False  # whether a word has come since the last line break
        self._ended_early = False  # whether a pause has ended the sentence of the next characters
        self._seen = ""  # for the error message if nothing can be spoken
        self._spoke = False
        self._before = Break.SPACE  # the strongest break before the next sentence

    def push(self, piece: str) -> Iterator[Sentence]:
        """Yield the sentences that ``piece`` completes."""
        if not self._spoke:
            self._seen = (self._seen + piece)[:_SEEN_CHARS]
        for word in self._reader.push(self._markup.push(piece)):
            yield from self._word(word)

    @property
    def pause_s(self) -> float | None:
        """Seconds without more text after which to call `pause`; None: the sentence goes on."""
        text, rest = self._pending(), self._reader.pending + self._markup.pending
        word = rest.strip(" \n")
        if not (text.strip() or word):
            return END_PAUSE_S if self._marker and not self._in_line else None
        pause_s = pause_after(text + rest)
        if pause_s is None and rest[:1] == " " and word and starts_sentence(word):
            pause_s = END_PAUSE_S if pause_after(text) == END_PAUSE_S else None
        return pause_s

    def pause(self) -> Iterator[Sentence]:
        """Yield the sentence that ends at the last end mark, as no text came for ``pause_s``."""
        for word in self._reader.push(self._markup.pause()):
            yield from self._word(word)
        if pause_after(self._pending() + self._reader.pending) is not None:
            for word in self._reader.pause():
                yield from self._word(word)
            self._ended_early = True
        yield from self._complete(self._detector.finish())
        if not self._in_line:
            yield from self._end_block()

    def finish(self) -> Iterator[Sentence]:
        """Yield the remaining sentences at the end of the text.

        Raises:
            EmptyTextError: nothing in the text can be spoken; the message contains the reason.
        """
        yield from self.leftover()
        if not self._spoke:
            raise _empty_text(self._seen)

    def leftover(self) -> Iterator[Sentence]:
        """Yield the remaining sentence, if any."""
        for word in self._reader.push(self._markup.finish()):
            yield from self._word(word)
        for word in self._reader.finish():
            yield from self._word(word)
        yield from self._end_block()

    def _word(self, word: Word) -> Iterator[Sentence]:
        self._in_line = word.before is not Break.LINE
        if word.before is Break.LINE:
            yield from self._complete(self._detector.finish())
            if self._before is not Break.BLOCK:
                self._before = Break.LINE
            return
        if word.before is Break.BLOCK:
            yield from self._end_block()
            self._before = Break.BLOCK
        text = word.text
        if self._ended_early:
            text = without_marks(text) if word.before is Break.NONE else text
            self._ended_early = not text
        gap = "" if word.before is Break.NONE else " "
        yield from self._feed(gap + text)
        if _DEGREES.search(word.text):  # otherwise "C." would be taken for the initial of a name
            yield from self._complete(self._detector.finish())
        # Text without sentence ends must not wait for the end of the text.
        while self._pending_chars() > MAX_SENTENCE_CHARS:
            head, rest = _cut(self._detector.finish())
            yield from self._complete(head)
            yield from self._feed(rest)

    def _feed(self, text: str) -> Iterator[Sentence]:
        for sentence in self._detector.add_chunk(text):
            yield from self._complete(sentence)

    def _end_block(self) -> Iterator[Sentence]:
        yield from self._complete(self._detector.finish())
        marker, self._marker = self._marker, ""
        yield from self._speakable(marker)

    def _pending_chars(self) -> int:
        return len(self._pending().strip())

    def _pending(self) -> str:
        return self._detector.current_sentence + self._detector.remaining_text

    def _complete(self, sentence: str) -> Iterator[Sentence]:
        if not sentence:
            return
        rest = f"{self._marker} {sentence}".strip()
        self._marker = ""
        if _MARKER.fullmatch(rest):
            self._marker = rest
            return
        for part in fitting(rest):
            yield from self._speakable(part)

    def _speakable(self, sentence: str) -> Iterator[Sentence]:
        if has_speech(sentence):
            self._spoke = True
            before, self._before = self._before, Break.SPACE
            yield Sentence(sentence, before)


def fitting(text: str) -> Iterator[str]:
    """Yield a sentence, in parts where it is longer than `MAX_SENTENCE_CHARS`."""
    while len(text) > MAX_SENTENCE_CHARS:
        part, text = _cut(text)
        yield part
    yield text


def _cut(text: str) -> tuple[str, str]:
    """Split a text that is too long at the best point before the limit."""
    clause = max((m.end() for m in _CLAUSE_END.finditer(text, 0, MAX_SENTENCE_CHARS)), default=0)
    at = clause or max(text.rfind(" ", 0, MAX_SENTENCE_CHARS + 1), 0) or _hard_cut(text)
    return text[:at].strip(), text[at:].strip()


def _hard_cut(text: str) -> int:
    at = MAX_SENTENCE_CHARS
    while at > 1 and joins_previous(text[at]):
        at -= 1
    return at if at > 1 else MAX_SENTENCE_CHARS


def _empty_text(text: str) -> EmptyTextError:
    """Return the error for a text in which nothing can be spoken."""
    kinds: list[tuple[str, Callable[[str], bool]]] = [
        ("The text is empty.", lambda t: not t),
        ("The text is only white space.", str.isspace),
        ("The text is only control characters.", lambda t: not plain(t).strip()),
    ]
    for detail, fits in kinds:
        if fits(text):
            return EmptyTextError(detail)
    return NothingToSayError("The text has no letter or digit.")
