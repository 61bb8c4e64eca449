"""Prompt for a secret on the terminal."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vieneu_core.cli.event_loop import raise_on_signal

LONGEST_LINE = 8192
"""Limit of a secret in bytes."""
_LFLAG = 3
"""Index of the local modes in the result of `termios.tcgetattr`."""


def ask_secret(prompt: str) -> str:
    """Read a line from the terminal behind standard input without echoing it.

    A signal ends it at once. `getpass` misses one that comes just before it begins to
    read; here it wakes `select`.

    Raises:
        EOFError: the line was ended by Ctrl-D.
        KeyboardInterrupt, SystemExit: a signal came.
    """
    terminal = sys.stdin.fileno()
    with raise_on_signal(), _woken_by_signals() as woken, _without_echo(terminal):
        _show(prompt)
        while terminal not in select.select([terminal, woken], [], [])[0]:
            os.read(woken, 1)
        line = os.read(terminal, LONGEST_LINE)
    _show("\n")
    if not line:
        raise EOFError
    return line.decode(errors="replace").rstrip("\n")


@contextmanager
def _woken_by_signals() -> Iterator[int]:
    """Yield a pipe that becomes readable when a signal arrives."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    try:
        yield read_end
    finally:
        signal.set_wakeup_fd(before)
        os.close(read_end)
        os.close(write_end)


@contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    silent = [*before]
    silent[_LFLAG] = before[_LFLAG] & ~termios.ECHO
    try:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _show(text: str) -> None:
    """Write to the terminal, even if standard error is redirected."""
    with suppress(OSError):
        try:
            Path("/dev/tty").write_text(text, "utf-8")
        except OSError:  # no controlling terminal: standard error is the best alternative
            os.write(2, text.encode())
