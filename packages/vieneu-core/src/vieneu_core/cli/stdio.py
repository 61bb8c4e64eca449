"""Standard input and output as streams, without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import os
import stat
import struct
import termios
import threading
from collections.abc import AsyncGenerator, AsyncIterable

from vieneu_core.cli.streams import unwritable

_BLOCK = 1 << 16
_LINE_BYTES = 300


async def typed_text(descriptor: int = 0) -> AsyncGenerator[str, None]:
    """Yield text as it is typed or piped in; bytes that are no UTF-8 become U+FFFD.

    The reading thread is a daemon: it may sit in a read for ever, and nobody waits for it.
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
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while block := await blocks.get():
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


async def lines_of(stream: asyncio.StreamReader) -> AsyncGenerator[str, None]:
    """Yield what a program writes line by line; of a line without an end only the last part."""
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
        BrokenPipeError: the reader of the pipe is gone.
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
    """Return the number of bytes that lie in a pipe."""
    answer = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
    return int(struct.unpack("i", answer)[0])


async def room_in(descriptor: int) -> None:
    """Wait until a pipe takes something."""
    loop = asyncio.get_running_loop()
    room = asyncio.Event()
    loop.add_writer(descriptor, room.set)
    try:
        await room.wait()
    finally:
        loop.remove_writer(descriptor)


async def _write_some(descriptor: int, view: memoryview) -> int:
    """Write what fits into the pipe, after waiting for room where it is full."""
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
