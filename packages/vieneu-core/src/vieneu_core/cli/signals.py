"""Decides what Ctrl-C and SIGTERM do. Loads next to nothing: it is the first that ``vieneu`` needs.

A signal that the parent had ignored (``nohup``) stays ignored.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # typing takes longer to load than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    Handler = Callable[[int, FrameType | None], Any] | int | None

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def end_at_once(message: str = "") -> None:
    """From now on let a signal end the process where it stands; Ctrl-C shows the message."""
    received: list[int] = []

    def leave(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:  # a second one while the first is being handled
            return
        if message and number == signal.SIGINT:
            try:  # noqa: SIM105 - contextlib takes longer to load than all of this
                os.write(2, f"vieneu: {message}\n".encode())
            except OSError:  # stderr may be gone as well
                pass
        os._exit(EXIT_CODES[signal.Signals(number)])

    install(leave)


def ignore_from_now_on() -> None:
    """Ignore signals: the exit code is known, and only the interpreter is still taken down."""
    # Blocked first: Python complains of one that comes while its handler is being taken away.
    signal.pthread_sigmask(signal.SIG_BLOCK, EXIT_CODES)
    install(signal.SIG_IGN)


def install(handler: Handler) -> dict[signal.Signals, Handler]:
    """Set the handler of each signal that is not ignored; return those before, for `restore`."""
    before: dict[signal.Signals, Handler] = {
        number: signal.getsignal(number)
        for number in EXIT_CODES
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    restore(dict.fromkeys(before, handler))
    return before


def restore(handlers: dict[signal.Signals, Handler]) -> None:
    """Set these handlers."""
    for number, handler in handlers.items():
        signal.signal(number, handler)
