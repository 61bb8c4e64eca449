"""Codes of a sentence that ends in time: where its end comes too early or late, it is drawn again.

A model that misses the end of a sentence goes on with words or noise that nobody wrote. Such codes
are not heard: what is longer than usual is kept back until the end has come, and a word or two
altogether, since a second word cannot be told from the first. What has been heard is never drawn
again; the model continues it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from vieneu_core.engines.speech_lm.limits import Length, length_of
from vieneu_core.engines.speech_lm.model import CodeModel, CodePrompt
from vieneu_core.errors import SynthesisFailedError
from vieneu_core.translatable import Translatable

ATTEMPTS = 3
"""Largest number of times that a sentence is drawn; upstream draws one again twice."""
_LOGGER = logging.getLogger(__name__)


def codes_of(
    model: CodeModel,
    prompt: CodePrompt,
    cancelled: Callable[[], bool],
    *,
    attempts: int = ATTEMPTS,
) -> Iterator[int]:
    """Yield the codes of a sentence; see `CodeModel.codes`.

    If each attempt ends too early, or a short one too late, the one that is least wrong is spoken.
    Without attempts, the codes are what the model makes at once, whatever their number.

    Raises:
        SynthesisFailedError: the model does not end the sentence, in none of the attempts.
    """
    if attempts == 0:
        yield from model.codes(prompt, cancelled)
        return
    made = _Made(length_of(prompt))
    for attempt in range(attempts):
        again = replace(prompt, begun=tuple(made.heard), attempt=attempt)
        codes = model.codes(again, cancelled)
        yield from made.draw(codes)
        if isinstance(codes, Generator):
            codes.close()  # a model that would go on stops
        if cancelled() or made.is_complete:
            break
        if attempt == 0 and attempts > 1:
            _LOGGER.warning(
                "A sentence of %s ended %s, and is drawn again.", model.name, made.fault
            )
    if cancelled():
        return
    if not made.has_ended:
        raise SynthesisFailedError(
            Translatable("The model {name} did not end a sentence.", name=model.name)
        )
    yield from made.rest()


class _Made:
    """What has been made of a sentence.

    Args:
        length: Its plausible length.
    """

    def __init__(self, length: Length) -> None:
        self.heard: list[int] = []
        self.is_complete = False
        self.fault = ""
        self._length = length
        self._held: list[int] = []
        self._ends: list[list[int]] = []
        """What each attempt that ended at a wrong time had kept back."""

    def draw(self, codes: Iterator[int]) -> Iterator[int]:
        """Yield codes of one attempt as long as there are not more of them than usual."""
        self._held = []
        for code in codes:
            if len(self.heard) < self._length.usual:
                self.heard.append(code)
                self._ends.clear()  # they continued less
                yield code
            else:
                self._held.append(code)
            if self._n_codes >= self._length.most:
                self.fault = f"not within {self._n_codes} codes"
                return
        self.fault = f"after {self._n_codes} codes"
        self.is_complete = self._length.allows(self._n_codes)
        self._ends.append(self._held)

    @property
    def has_ended(self) -> bool:
        """Whether any attempt has ended."""
        return bool(self._ends)

    def rest(self) -> Iterator[int]:
        """Yield what was kept back: of the last attempt if it is right, else of the least wrong."""
        yield from self._held if self.is_complete else min(self._ends, key=self._distance)

    @property
    def _n_codes(self) -> int:
        return len(self.heard) + len(self._held)

    def _distance(self, held: list[int]) -> int:
        return abs(len(self.heard) + len(held) - self._length.fewest)
