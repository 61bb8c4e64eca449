"""Terminals for programs that draw on one, or ask at one."""

from __future__ import annotations

import os
import pty

import pytest


def open_terminal() -> tuple[int, int]:
    """Return both ends of a terminal; skip the test where the system lends none.

    A chroot without ``/dev/pts`` has none.
    """
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"This system lends no terminal (/dev/pts): {error}.")


def need_terminal() -> None:
    """Skip the test where `open_terminal` would."""
    for end in open_terminal():
        os.close(end)
