"""Ends a command in order when a signal comes while it works.

While an event loop runs, a signal cancels what is being done, so that players, workers and half
files are cleared away. Before and after that, `signals` lets it end the process where it stands.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from vieneu_core.cli.signals import EXIT_CODES, install, restore

T = TypeVar("T")

_MOST_SIGNALS = 3
"""The first asks for an orderly end, the second hurries it, the third does not wait for it."""


@contextmanager
def raising() -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt or SystemExit: a prompt has a terminal to restore."""
    before = install(_raise)
    try:
        yield
    finally:
        restore(before)


def run_to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run on an event loop of its own; a signal cancels it, and then ends the process."""
    return asyncio.run(_watched(work))


async def _watched(work: Coroutine[Any, Any, T]) -> T:
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
            # Not after the loop: a thread may sit in a read for ever, and the loop waits for it.
            signal.raise_signal(received[0])
        raise
    finally:
        restore(before)


def _raise(number: int, _: FrameType | None) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(EXIT_CODES[signal.Signals(number)])
