"""The real ``vieneu`` in the process of the test: all of it but the start of a Python."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager, suppress
from pathlib import Path
from typing import IO, TextIO
from unittest import mock

from vieneu_core.cli.app import run
from vieneu_core.cli.language import choose_language
from vieneu_core.cli.stdio import prepare_streams
from vieneu_core.i18n import Messages

NAMES = ("stdin", "stdout", "stderr")


def run_here(
    arguments: Sequence[str],
    *,
    text: bytes,
    environ: Mapping[str, str],
    home: Path,
    streams: Mapping[str, IO[bytes] | io.RawIOBase | None] | None = None,
) -> tuple[int, bytes, bytes]:
    """Run a command in a folder; return its exit code and what it printed on both streams.

    Args:
        arguments: Those after the program's name.
        text: What it reads from standard input.
        environ: All of its environment.
        home: The folder.
        streams: Standard streams that are other files, or that are closed (None).
    """
    with ExitStack() as stack:
        files = {name: stack.enter_context(tempfile.TemporaryFile()) for name in NAMES}
        files["stdin"].write(text)
        files["stdin"].seek(0)
        stack.enter_context(mock.patch.dict(os.environ, environ, clear=True))
        stack.enter_context(chdir(home))
        with standard_streams({**files, **(streams or {})}):
            prepare_streams(needs_stdout=True)
            code = run(arguments, Messages(choose_language(arguments, os.environ), "cli"))
            _end_of_python()
        return code, _content(files["stdout"]), _content(files["stderr"])


@contextmanager
def standard_streams(files: Mapping[str, IO[bytes] | io.RawIOBase | None]) -> Iterator[None]:
    """Let the descriptors 0 to 2, and Python's streams of them, be these files."""
    kept = [os.dup(number) for number in range(len(NAMES))]
    with ExitStack() as stack:
        for number, name in enumerate(NAMES):
            stack.callback(os.close, kept[number])
            stack.callback(os.dup2, kept[number], number)
            stream = _put(number, files[name])
            for attribute in (name, f"__{name}__"):
                stack.enter_context(mock.patch.object(sys, attribute, stream))
        yield


def _put(number: int, file: IO[bytes] | io.RawIOBase | None) -> TextIO | None:
    """Let a descriptor be a file; return Python's stream of it, as a start of Python sets it."""
    if file is None:
        os.close(number)
        return None
    os.dup2(file.fileno(), number)
    return open(number, "w" if number else "r", encoding="utf-8", closefd=False)


def _end_of_python() -> None:
    """Write what is still buffered, as the interpreter does at its end."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
