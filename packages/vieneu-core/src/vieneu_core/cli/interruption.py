"""Ends ``vieneu`` by Ctrl-C or SIGTERM: at any moment, with the exit code that shells expect.

While an event loop runs, a signal cancels what is being done, so that players, workers and half
files are cleared away in order. Before and after that there is nothing to clear away: the process
ends where it stands. A signal that the parent had ignored (``nohup``) stays ignored.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any, TypeVar

Handler = Callable[[int, FrameType | None], Any] | int | None
T = TypeVar("T")

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
_MOST_SIGNALS = 3
"""The first asks for an orderly end, the second hurries it, the third does not wait for it."""


def end_at_once(message: str = "") -> None:
    """From now on let a signal end the process where it stands; Ctrl-C shows the message."""
    _install(partial(_leave, message))


def ignore_from_now_on() -> None:
    """Ignore signals: the exit code is known, and only the interpreter is still taken down."""
    _install(signal.SIG_IGN)


@contextmanager
def raising() -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt or SystemExit: a prompt has a terminal to restore."""
    before = _install(_raise)
    try:
        yield
    finally:
        _restore(before)


def run_to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run on an event loop of its own; a signal cancels it, and then ends the process."""
    import asyncio

    return asyncio.run(_watched(work))


async def _watched(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    received: list[int] = []

    def cancel(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) == _MOST_SIGNALS:
            os._exit(EXIT_CODES[signal.Signals(number)])
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    before = _install(cancel)
    try:
        return await work
    except BaseException:
        _restore(before)
        if received:
            # Not after the loop: a thread may sit in a read for ever, and the loop waits for it.
            signal.raise_signal(received[0])
        raise
    finally:
        _restore(before)


def _install(handler: Handler) -> dict[signal.Signals, Handler]:
    """Set the handler of each signal that is not ignored; return those before."""
    before: dict[signal.Signals, Handler] = {
        number: signal.getsignal(number)
        for number in EXIT_CODES
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    _restore(dict.fromkeys(before, handler))
    return before


def _restore(handlers: dict[signal.Signals, Handler]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _leave(message: str, number: int, _: FrameType | None) -> None:
    if message and number == signal.SIGINT:
        with suppress(OSError):  # stderr may be gone as well
            os.write(2, f"vieneu: {message}\n".encode())
    os._exit(EXIT_CODES[signal.Signals(number)])


def _raise(number: int, _: FrameType | None) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(EXIT_CODES[signal.Signals(number)])
