"""Standard input, output and error: non-blocking, and robust against closed or full targets."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import io
import os
import stat
import struct
import sys
import termios
import threading
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import suppress
from typing import Any, TextIO

from vieneu_core.errors import OutputError
from vieneu_core.text.encodings import TextDecoder
from vieneu_core.translatable import Translatable

_BLOCK = 1 << 16
_LINE_BYTES = 300
STANDARD = "-"
"""Argument that means standard input or standard output."""


def unwritable(error: OSError) -> OutputError:
    """Return the error for standard output that cannot be written."""
    if error.errno == errno.EBADF:
        return OutputError(
            "Standard output is closed.", remedy="Send the output to a file, or to /dev/null."
        )
    return OutputError(
        Translatable("Standard output cannot be written: {error}.", error=error.strerror or error)
    )


def require_stdout() -> None:
    """Check that this process has a standard output.

    Raises:
        OutputError: it was started without one.
    """
    if sys.__stdout__ is None:
        raise unwritable(OSError(errno.EBADF, os.strerror(errno.EBADF)))


class _Results(io.FileIO):
    """Standard output; a failed write raises an error with a specific class."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except (BlockingIOError, BrokenPipeError):
            raise
        except OSError as error:
            raise unwritable(error) from error


class _Messages(io.FileIO):
    """Standard error; failed writes are ignored, because no message is worth losing speech."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def prepare_streams(*, needs_stdout: bool) -> None:
    """Replace the standard streams by ones that fail in a defined way.

    Args:
        needs_stdout: Whether writing to a closed standard output fails; otherwise it is ignored.
    """
    _open_missing(needs_stdout=needs_stdout)
    sys.stdout = _text(_Results(sys.stdout.fileno(), "w", closefd=False), like=sys.stdout)
    sys.stderr = _text(_Messages(sys.stderr.fileno(), "w", closefd=False), like=sys.stderr)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def abandon_output() -> None:
    """Discard unwritten output: the interpreter would try to write it again at its end."""
    try:
        sys.stdout.flush()
    except (OSError, OutputError):
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_missing(*, needs_stdout: bool) -> None:
    """Open a replacement for each closed standard stream, which Python would set to None."""
    # Opened for reading: writing to it fails as on a closed one.
    stdout_flags = os.O_RDONLY if needs_stdout else os.O_RDWR
    for name, mode, flags in (
        ("stdin", "r", os.O_RDWR),
        ("stdout", "w", stdout_flags),
        ("stderr", "w", os.O_RDWR),
    ):
        if getattr(sys, name) is None:
            # The lowest free number, which is the stream's own: programs rely on it.
            descriptor = os.open(os.devnull, flags)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - open until the end


def _text(raw: io.FileIO, *, like: TextIO) -> TextIO:
    """Return a text stream; characters that its encoding lacks become question marks."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding,
        errors="backslashreplace" if like is sys.stderr else "replace",
        line_buffering=True,
    )


async def typed_text(descriptor: int = 0) -> AsyncGenerator[str, None]:
    """Yield text as it is typed or piped in; see `TextDecoder` for its encoding.

    Raises:
        TextEncodingError: the bytes are no text in a known encoding; what came before is yielded.

    The reading thread is a daemon: it may block in a read forever, and nothing waits for it.
    """
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        block = b"-"
        while block:
            try:
                block = os.read(descriptor, _BLOCK)
            except OSError:  # closed, or its terminal is gone: the end of the text
                block = b""
            try:
                loop.call_soon_threadsafe(blocks.put_nowait, block)
            except RuntimeError:  # the loop has ended meanwhile
                return

    threading.Thread(target=read, name="vieneu-stdin", daemon=True).start()
    decoder = TextDecoder(Translatable("Standard input"))
    while block := await blocks.get():
        yield decoder.push(block)
    yield decoder.finish()


async def lines_of(stream: asyncio.StreamReader) -> AsyncGenerator[str, None]:
    """Yield a program's output line by line; of an endless line only the last part."""
    rest = b""
    while part := await stream.read(_LINE_BYTES):
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line[:_LINE_BYTES].decode(errors="replace")
        rest = rest[-_LINE_BYTES:]
    if rest:
        yield rest.decode(errors="replace")


async def write_out(blocks: AsyncIterable[bytes], descriptor: int = 1) -> None:
    """Write bytes to standard output.

    Raises:
        BrokenPipeError: the reader has closed the pipe.
        OutputError: they cannot be written.
    """
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        async for block in blocks:
            await asyncio.to_thread(_write_all, descriptor, block)
        return
    os.set_blocking(descriptor, False)
    try:
        async for block in blocks:
            view = memoryview(block)
            while view:
                view = view[await _write_some(descriptor, view) :]
    finally:
        os.set_blocking(descriptor, True)


def unread(descriptor: int) -> int:
    """Return the number of unread bytes in a pipe."""
    answer = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
    return int(struct.unpack("i", answer)[0])


async def room_in(descriptor: int) -> None:
    """Wait until a pipe can be written."""
    loop = asyncio.get_running_loop()
    room = asyncio.Event()
    loop.add_writer(descriptor, room.set)
    try:
        await room.wait()
    finally:
        loop.remove_writer(descriptor)


async def _write_some(descriptor: int, view: memoryview) -> int:
    """Write as much as fits into the pipe; wait first if it is full."""
    while True:
        try:
            return _write(descriptor, view)
        except BlockingIOError:
            await room_in(descriptor)


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[_write(descriptor, view) :]


def _write(descriptor: int, view: memoryview) -> int:
    try:
        return os.write(descriptor, view)
    except (BlockingIOError, BrokenPipeError):
        raise
    except OSError as error:
        raise unwritable(error) from error
