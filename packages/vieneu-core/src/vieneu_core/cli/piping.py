"""Standard input and output as streams, without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import codecs
import os
import stat
import threading
from collections.abc import AsyncGenerator, AsyncIterable

_BLOCK = 1 << 16


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


async def write_out(blocks: AsyncIterable[bytes], descriptor: int = 1) -> None:
    """Write bytes to standard output.

    Raises:
        BrokenPipeError: the reader of the pipe is gone.
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


async def _write_some(descriptor: int, view: memoryview) -> int:
    """Write what fits into the pipe, after waiting for room where it is full."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return os.write(descriptor, view)
        except BlockingIOError:
            room = asyncio.Event()
            loop.add_writer(descriptor, room.set)
            try:
                await room.wait()
            finally:
                loop.remove_writer(descriptor)


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]
