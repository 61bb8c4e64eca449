"""Turns of the long jobs: one speaks at a time, and the oldest that can goes first."""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime

Rank = tuple[datetime, str]
"""Time at which a job was made, and its id: the lower one goes first."""


class JobTurns:
    """Gives the turn to one job at a time: to the oldest of those that wait for it."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._n_asked = 0

    def of(self, rank: Rank) -> JobTurn:
        """Return the turn of a job, which it does not have yet."""
        return JobTurn(self, rank)

    def older_waits(self, rank: Rank) -> bool:
        """Whether an older job waits for the turn."""
        return any(before < rank and not given.done() for before, _, given in self._waiting)

    async def take(self, rank: Rank) -> None:
        """Wait until a job has the turn."""
        if not self._taken:
            self._taken = True
            return
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._n_asked += 1
        heapq.heappush(self._waiting, (rank, self._n_asked, given))
        try:
            await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():
                self.give_on()
            raise

    def give_on(self) -> None:
        """Give the turn, which a job has had, to the oldest that waits for it."""
        while self._waiting:
            _, _, given = heapq.heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self._taken = False


class JobTurn:
    """The turn of one job. Made by `JobTurns.of`."""

    def __init__(self, turns: JobTurns, rank: Rank) -> None:
        self._turns = turns
        self._rank = rank
        self._mine = False

    @property
    def older_waits(self) -> bool:
        """Whether an older job waits for the turn."""
        return self._turns.older_waits(self._rank)

    async def take(self) -> None:
        """Wait for the turn."""
        await self._turns.take(self._rank)
        self._mine = True

    def release(self) -> None:
        """Let another job have the turn, if this one has it."""
        if self._mine:
            self._mine = False
            self._turns.give_on()
