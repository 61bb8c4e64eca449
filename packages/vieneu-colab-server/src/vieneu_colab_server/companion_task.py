"""Tasks that run beside a server. One that fails does not end the server, and is not silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_LOGGER = logging.getLogger(__name__)


@asynccontextmanager
async def running_beside(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Run a task meanwhile, and cancel it at the end.

    Args:
        work: What it does.
        name: Its name, also in the log.
    """
    task = begun(work, name=name)
    try:
        yield
    finally:
        await ended(task)


def begun(work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
    """Return a task whose failure is logged as soon as it fails; arguments as `running_beside`."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_failure)
    return task


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it has ended."""
    task.cancel()
    await asyncio.wait({task})


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOGGER.error(
            "The task %s has failed; restart the server.", task.get_name(), exc_info=error
        )
