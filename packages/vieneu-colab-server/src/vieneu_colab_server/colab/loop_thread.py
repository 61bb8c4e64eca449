"""Event loop on its own thread, because a notebook's main thread already runs one."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_EVERY_S = 0.2


class LoopThread:
    """Runs coroutines for a blocking caller. Has to be closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="vieneu-notebook", daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a coroutine without waiting for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, T], meanwhile: Callable[[], None] = lambda: None) -> T:
        """Run a coroutine to its end, and return its result; call ``meanwhile`` repeatedly.

        An interruption (Ctrl-C, ■) cancels it and is raised to the caller.
        """
        future = self.begin(work)
        try:
            while True:
                done, _ = concurrent.futures.wait([future], timeout=_EVERY_S)
                meanwhile()
                if done:
                    return future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """Cancel running coroutines, and return when they have ended. Without effect if closed.

        Cancelled coroutines end their processes.
        """
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        rest = asyncio.all_tasks(self._loop)
        for task in rest:
            task.cancel()
        if rest:
            self._loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
