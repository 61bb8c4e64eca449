"""Codes of a sentence that ends in time: where its end comes too early or late, it is drawn again.

A model that misses the end of a sentence goes on with words or noise that nobody wrote. Such codes
are not heard: what is longer than usual is kept back until the end has come, and a word or two
altogether, since a second word cannot be told from the first. What has been heard is never drawn
again; the model continues it. If the end does not come, what has been heard was the sentence: its
usual length has all the words of 99 % of recordings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from vieneu_core.engines.speech_lm.limits import Length, endless, length_of
from vieneu_core.engines.speech_lm.model import CodeModel, CodePrompt
from vieneu_core.errors import EndlessSentenceError, TextTooLongError

ATTEMPTS = 3
"""Largest number of times that a sentence is drawn; upstream draws one again twice."""
SIGN_CODES = 50
"""Codes that are kept back between two signs of life: more than a word has that is spoken right."""
REDRAWN_CODES = 100
"""Codes that all further attempts may keep back after the usual length has been heard.

The listener may wait for them in silence; the end of what was heard is near, or it is not found.
"""
_LOGGER = logging.getLogger(__name__)


def codes_of(
    model: CodeModel,
    prompt: CodePrompt,
    cancelled: Callable[[], bool],
    *,
    attempts: int = ATTEMPTS,
) -> Iterator[int | None]:
    """Yield the codes of a sentence; see `CodeModel.codes`. None now and then: they are kept back.

    If each attempt ends too early, or a short one too late, the one that is least wrong is spoken.
    If none ends, the sentence ends with its usual length, once that has been heard.
    Without attempts, the codes are what the model makes at once, whatever their number.

    Raises:
        EndlessSentenceError: the model does not end the sentence, in none of the attempts, and a
            word or two was not heard at all, or the context ends before the usual length.
    """
    if attempts == 0:
        yield from model.codes(prompt, cancelled)
        return
    made = _Made(length_of(prompt), model.name)
    for attempt in range(attempts):
        again = replace(prompt, begun=tuple(made.heard), attempt=attempt)
        codes = model.codes(again, cancelled)
        yield from made.draw(codes)
        if isinstance(codes, Generator):
            codes.close()  # a model that would go on stops
        if cancelled():
            return
        if made.is_complete or made.has_waited:
            break
        if attempt == 0 and attempts > 1:
            made.report("A sentence of %s ended %s, and is drawn again.")
    yield from made.rest()


class _Made:
    """What has been made of a sentence.

    Args:
        length: Its plausible length.
        name: Name of the model.
    """

    def __init__(self, length: Length, name: str) -> None:
        self.heard: list[int] = []
        self.is_complete = False
        self._fault = ""
        self._length = length
        self._name = name
        self._held: list[int] = []
        self._n_held = 0  # in all attempts
        self._ends: list[list[int]] = []
        """What each attempt that ended at a wrong time had kept back."""

    def draw(self, codes: Iterator[int]) -> Iterator[int | None]:
        """Yield codes of one attempt as long as there are not more of them than usual.

        The end of the model's context, or of its own limit, is no end of the sentence.
        """
        self._held = []
        try:
            for code in codes:
                yield from self._heard_of(code)
                if self._n_codes >= self._length.most or self.has_waited:
                    break
            else:
                self._end()
                return
        except EndlessSentenceError:
            pass
        except TextTooLongError:
            if not self.heard:
                raise
        self._fault = f"not within {self._n_codes} codes"

    @property
    def has_waited(self) -> bool:
        """Whether a listener who has heard the usual length need not wait any longer."""
        length = self._length
        return length.usual > 0 and self._n_held >= length.most - length.usual + REDRAWN_CODES

    def rest(self) -> Iterator[int]:
        """Yield what was kept back: of the last attempt if it is right, else of the least wrong.

        Raises:
            EndlessSentenceError: no attempt ended, and less than the usual length was heard.
        """
        if self.is_complete:
            yield from self._held
        elif self._ends:
            yield from min(self._ends, key=self._distance)
        elif 0 < self._length.usual <= len(self.heard):
            self.report("A sentence of %s ended %s; its usual length was spoken.")
        else:
            raise endless(self._name)

    def report(self, message: str) -> None:
        """Write a warning with the model's name and when the last attempt ended."""
        _LOGGER.warning(message, self._name, self._fault)

    def _heard_of(self, code: int) -> Iterator[int | None]:
        """Yield a code that is heard at once, or now and then a sign that others are kept back."""
        if len(self.heard) < self._length.usual:
            self.heard.append(code)
            self._ends.clear()  # they continued less
            yield code
            return
        self._held.append(code)
        self._n_held += 1
        if self._n_held % SIGN_CODES == 0:
            yield None

    def _end(self) -> None:
        self._fault = f"after {self._n_codes} codes"
        self.is_complete = self._length.allows(self._n_codes)
        self._ends.append(self._held)

    @property
    def _n_codes(self) -> int:
        return len(self.heard) + len(self._held)

    def _distance(self, held: list[int]) -> int:
        return abs(len(self.heard) + len(held) - self._length.fewest)
