"""Codes of one sentence, generated on their own thread while the codec decodes on another."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from vieneu_core.engines.speech_lm.attempts import ATTEMPTS, codes_of
from vieneu_core.engines.speech_lm.model import CodeModel, CodePrompt


@dataclass(frozen=True, slots=True)
class _End:
    """End of the codes: complete, cancelled, or failed."""

    error: BaseException | None = None


class CodeStream:
    """Runs a model on a sentence and yields its codes.

    Args:
        model: The model; streams on the same executor use it one after the other.
        prompt: The sentence.
        executor: One thread. After the sentence, it works ahead on prefetched prompts.
        cancelled: Returns whether the sentence is cancelled.
        attempts: Largest number of times that a sentence is drawn.
    """

    def __init__(
        self,
        model: CodeModel,
        prompt: CodePrompt,
        *,
        executor: Executor,
        cancelled: Callable[[], bool],
        attempts: int = ATTEMPTS,
    ) -> None:
        self._model = model
        self._prompt = prompt
        self._cancelled = cancelled
        self._attempts = attempts
        self._closed = threading.Event()
        self._prefetch_cancelled = threading.Event()
        self._made: queue.SimpleQueue[int | _End | None] = queue.SimpleQueue()
        executor.submit(self._make)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the codes in order; each time all that are available, none as a sign of life.

        Raises: as `codes_of`.
        """
        while True:
            codes, end = self._take()
            if codes or end is None:
                yield codes
            if end is not None:
                if end.error is not None:
                    raise end.error
                return

    def close(self) -> None:
        """Stop the model before its next code."""
        self._closed.set()

    def cancel_prefetch(self) -> None:
        """Stop working ahead, because another sentence comes next."""
        self._prefetch_cancelled.set()

    def _take(self) -> tuple[list[int], _End | None]:
        codes: list[int] = []
        item = self._made.get()
        while not isinstance(item, _End):
            if item is not None:
                codes.append(item)
            try:
                item = self._made.get_nowait()
            except queue.Empty:
                return codes, None
        return codes, item

    def _stopped(self) -> bool:
        return self._closed.is_set() or self._cancelled()

    def _make(self) -> None:
        try:
            for code in codes_of(self._model, self._prompt, self._stopped, attempts=self._attempts):
                self._made.put(code)
        except BaseException as error:  # noqa: BLE001 - raised again by who listens
            self._made.put(_End(error))
            return
        self._made.put(_End())
        if not self._stopped():
            self._model.prefetch_next(lambda: self._stopped() or self._prefetch_cancelled.is_set())
