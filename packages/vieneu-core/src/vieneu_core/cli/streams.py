"""Prepares the standard streams for what users connect them to: nothing, a full disk, a pipe."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from vieneu_core.errors import OutputError


def unwritable(error: OSError) -> OutputError:
    """Return the error for standard output that cannot be written."""
    return OutputError(f"Standard output cannot be written: {error.strerror or error}.")


class _Results(io.FileIO):
    """Standard output: what cannot be written to it is an error with a name."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except (BlockingIOError, BrokenPipeError):
            raise
        except OSError as error:
            raise unwritable(error) from error


class _Messages(io.FileIO):
    """Standard error: what cannot be written to it is lost. No message is worth the speech."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def prepare_streams() -> None:
    """Give this process streams that fail in known ways, whatever they lead to."""
    _open_missing()
    sys.stdout = _text(_Results(sys.stdout.fileno(), "w", closefd=False), like=sys.stdout)
    sys.stderr = _text(_Messages(sys.stderr.fileno(), "w", closefd=False), like=sys.stderr)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def stdout_was_closed() -> bool:
    """Whether this process was started without standard output."""
    return sys.__stdout__ is None


def abandon_output() -> None:
    """Drop what could not be written: the interpreter would try once more at its end."""
    try:
        sys.stdout.flush()
    except (OSError, OutputError):
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_missing() -> None:
    """Give a closed standard stream an empty one: Python sets it to None, which few expect."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest number that is free, which is that of the stream: programs rely on it.
            descriptor = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - open until the end


def _text(raw: io.FileIO, *, like: TextIO) -> TextIO:
    """Return a text stream; a character that its encoding lacks becomes a question mark."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding,
        errors="backslashreplace" if like is sys.stderr else "replace",
        line_buffering=True,
    )
