"""A worker that is started when it is needed, or a moment later anyway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from vieneu_core.clock import Clock
from vieneu_core.errors import BackendError

STANDBY_S = 1.0
"""Seconds after which the worker is started in any case: by then the selected voice is heard, or it
is late, and a listener would hear the start of another as silence."""


class Standby:
    """Starts a worker `STANDBY_S` after `begin`.

    Args:
        start: Starts the worker, without effect if it runs. Raises a `BackendError`.
        clock: Clock of the wait.
    """

    def __init__(self, start: Callable[[], Awaitable[None]], clock: Clock) -> None:
        self._start = start
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        """True between `begin` and `end`."""
        return self._task is not None

    def begin(self) -> None:
        """Begin to wait. Without effect if it waits or starts; where the start failed, again."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._wait(), name="vieneu-standby")

    async def end(self) -> None:
        """Wait no longer; a start that has begun is abandoned."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def _wait(self) -> None:
        await self._clock.sleep(STANDBY_S)
        with suppress(BackendError):  # a request that needs the worker raises it
            await self._start()
