"""Handling of Ctrl-C and SIGTERM. Imported first by ``vieneu``, so it imports almost nothing.

A signal that the parent process ignores (``nohup``) stays ignored.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # importing typing takes longer than this whole module
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    Handler = Callable[[int, FrameType | None], Any] | int | None

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def end_at_once(message: str = "") -> None:
    """Let a signal end the process immediately from now on; Ctrl-C prints the message."""
    received: list[int] = []

    def leave(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:  # a second one while the first is being handled
            return
        if message and number == signal.SIGINT:
            try:  # noqa: SIM105 - contextlib takes longer to load than all of this
                os.write(2, f"vieneu: {message}\n".encode())
            except OSError:  # stderr may be closed as well
                pass
        os._exit(EXIT_CODES[signal.Signals(number)])

    install(leave)


def ignore_from_now_on() -> None:
    """Ignore signals: the exit code is known, only the interpreter's shutdown remains."""
    # Blocked first: Python reports an error if one arrives while its handler is being removed.
    signal.pthread_sigmask(signal.SIG_BLOCK, EXIT_CODES)
    install(signal.SIG_IGN)


def install(handler: Handler) -> dict[signal.Signals, Handler]:
    """Set the handler of each signal that is not ignored; return the former ones for `restore`."""
    before: dict[signal.Signals, Handler] = {
        number: signal.getsignal(number)
        for number in EXIT_CODES
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    restore(dict.fromkeys(before, handler))
    return before


def restore(handlers: dict[signal.Signals, Handler]) -> None:
    """Restore the given handlers."""
    for number, handler in handlers.items():
        signal.signal(number, handler)
