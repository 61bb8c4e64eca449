"""Retries of long jobs: of those that wait for the same thing, one tries, and the others wait."""

from __future__ import annotations

import math
from collections.abc import Hashable

from vieneu_colab_server.relay.jobs.turns import JobTurn
from vieneu_core.clock import Clock


class JobRetries:
    """When paused jobs try again.

    Jobs with the same reason wait until the same moment. Then the oldest tries: where it speaks,
    the others go on in their turns; where it fails, they wait on with it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_s: dict[Hashable, float] = {}

    async def wait(self, reason: Hashable, pause_s: float, turn: JobTurn) -> float:
        """Give up the turn after a failure, and return with it once the job is to try again.

        Returns:
            The seconds for which only the turn was waited for.
        """
        began_s = self._clock.monotonic()
        self._due_s = {known: due_s for known, due_s in self._due_s.items() if due_s > began_s}
        self._due_s[reason] = max(self._left_s(reason), pause_s) + began_s
        while (left_s := self._left_s(reason)) > 0:
            turn.release()
            await self._clock.sleep(left_s)
            began_s = self._clock.monotonic()
            await turn.take()
        return self._clock.monotonic() - began_s

    def _left_s(self, reason: Hashable) -> float:
        return self._due_s.get(reason, -math.inf) - self._clock.monotonic()
