"""Event loop of a command, with an orderly end after a signal.

While the loop runs, a signal cancels the work, so that players, workers and unfinished files are
removed. Before and after that, `signals` lets it end the process at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

import typer

from vieneu_core.cli.exit_codes import ExitCode
from vieneu_core.cli.signals import EXIT_CODES, install, restore

T = TypeVar("T")

_MOST_SIGNALS = 3
"""The first starts an orderly end, the second speeds it up, the third ends the process."""


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt or SystemExit, so that a prompt can clean up."""
    before = install(_raise)
    try:
        yield
    finally:
        restore(before)


def run_command(work: Coroutine[Any, Any, T]) -> T:
    """Run a command on its own event loop; a signal cancels it and then ends the process.

    Raises:
        typer.Exit: the reader of the output has closed it.
    """
    try:
        return asyncio.run(_cancelled_by_signals(work))
    except BrokenPipeError:
        raise typer.Exit(ExitCode.READER_GONE) from None


async def _cancelled_by_signals(work: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    received: list[int] = []

    def cancel(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) == _MOST_SIGNALS:
            os._exit(EXIT_CODES[signal.Signals(number)])
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    before = install(cancel)
    try:
        return await work
    except BaseException:
        restore(before)
        if received:
            # Not after the loop: a thread may block in a read forever, and the loop waits for it.
            signal.raise_signal(received[0])
        raise
    finally:
        restore(before)


def _raise(number: int, _: FrameType | None) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(EXIT_CODES[signal.Signals(number)])
