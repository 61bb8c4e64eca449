"""Loading of a backend that goes on when the health check that began it is over.

Cancelling it would undo it where the backend is itself a router: what takes longer than a check,
such as the download of a voice, would never be loaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from vieneu_core.errors import BackendNotLoadedError


class LastingLoad:
    """At most one load at a time, which several checks may wait for.

    Args:
        load: Loads the backend.
        on_end: Called when a load has ended.
    """

    def __init__(
        self, load: Callable[[], Coroutine[Any, Any, None]], on_end: Callable[[], None]
    ) -> None:
        self._load = load
        self._on_end = on_end
        self._task: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        """Whether one is running, or has a result that no check knows yet."""
        return self._task is not None

    @property
    def ended(self) -> bool:
        """Whether it has a result that no check knows yet."""
        return self._task is not None and self._task.done()

    async def wait(self) -> None:
        """Begin to load unless that has begun, and wait for the end; cancelling only stops waiting.

        Raises:
            BackendError: loading failed, or was stopped.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._load(), name="vieneu-load")
            self._task.add_done_callback(self._done)
        task = self._task
        await asyncio.wait({task})
        if self._task is task:
            self._task = None
        if task.cancelled():
            raise BackendNotLoadedError("The router was unloaded while it was being loaded.")
        task.result()

    async def stop(self) -> None:
        """Cancel it, and wait for its end."""
        if (task := self._task) is not None:
            self._task = None
            task.cancel()
            await asyncio.wait({task})

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # `wait` raises it; here it only counts as seen
        self._on_end()
