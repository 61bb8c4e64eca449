"""`RunningCount`: how many replicas run, asked of what may never answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

from vieneu_core.clock import Clock
from vieneu_core.errors import BackendError

KEEP_S = 2.0
"""How long an answer is given again."""


class RunningCount:
    """Asks in a thread of its own, so that a question without an answer holds up nothing else.

    The threads of the event loop encode what is being heard; and this one does not keep the process
    from its end. No question is asked while another one has no answer.

    Args:
        ask: Counts, or returns why it cannot. It may block for ever.
        clock: Time.
    """

    def __init__(self, ask: Callable[[], int | BackendError], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._answer: Future[int | BackendError] | None = None
        self._asked_at_s = 0.0

    async def get(self) -> int:
        """Return how many run; waits for the answer, however long.

        Raises:
            BackendError: they could not be counted.
        """
        answer = self._answer
        if answer is None or (answer.done() and self._age_s >= KEEP_S):
            answer = self._answer = Future()
            self._asked_at_s = self._clock.monotonic()
            Thread(target=self._run, args=(answer,), name="running-count", daemon=True).start()
        found = await asyncio.shield(asyncio.wrap_future(answer))
        if isinstance(found, BackendError):
            raise found
        return found

    @property
    def _age_s(self) -> float:
        return self._clock.monotonic() - self._asked_at_s

    def _run(self, answer: Future[int | BackendError]) -> None:
        try:
            answer.set_result(self._ask())
        except BaseException as error:
            answer.set_exception(error)
            raise
