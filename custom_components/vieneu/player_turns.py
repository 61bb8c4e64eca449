"""Turns of announcements on players: one after another, urgent ones first."""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class PlayerTurns:
    """Gives each player to one announcement at a time.

    Of those that wait, urgent ones go first, and else the one that came first. The one that is
    being heard is never interrupted.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._waiting: defaultdict[str, list[tuple[bool, int, asyncio.Future[None]]]] = defaultdict(
            list
        )
        self._arrivals = count()

    @asynccontextmanager
    async def turn(self, player: str, *, urgent: bool) -> AsyncIterator[None]:
        """Wait for the player, and hold it inside the context."""
        await self._take(player, urgent=urgent)
        try:
            yield
        finally:
            self._release(player)

    async def _take(self, player: str, *, urgent: bool) -> None:
        if player not in self._taken:
            self._taken.add(player)
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting[player], (not urgent, next(self._arrivals), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():  # it was given the player in the same moment
                self._release(player)
            raise

    def _release(self, player: str) -> None:
        waiting = self._waiting[player]
        while waiting:
            *_, next_one = heapq.heappop(waiting)
            if not next_one.done():
                next_one.set_result(None)
                return
        del self._waiting[player]
        self._taken.discard(player)
