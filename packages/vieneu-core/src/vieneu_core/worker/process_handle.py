"""One worker process as its client sees it: start, messages, end. It is never restarted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from vieneu_core.clock import Clock
from vieneu_core.errors import EngineError, ModelLoadError, WorkerStartError
from vieneu_core.translatable import Translatable, joined
from vieneu_core.worker.messages import (
    LENGTH,
    Message,
    MessageError,
    Shutdown,
    decode,
    encode,
    frame_length,
)

_LOGGER = logging.getLogger(__name__)
_STDERR_LINES = 20
_LINE_CHARS = 300
_DRAIN_S = 1.0
_READ_BYTES = 65_536
_LACKS = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""Errors for what other programs, or this one, may give back."""
_T = TypeVar("_T")


class WorkerProcess:
    """A running worker. Created by `spawn`; the creator calls `close`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._last_lines: deque[str] = deque(maxlen=_STDERR_LINES)
        self._drain = asyncio.create_task(self._drain_output(), name="worker-output")

    @classmethod
    async def spawn(cls) -> Self:
        """Start a Python interpreter that runs the worker.

        Raises:
            WorkerStartError: the system lacks something for it, which may pass.
            ModelLoadError: the system cannot start it.
        """
        try:
            return await cls._spawn()
        except OSError as error:
            raise _start_error(error) from error

    @classmethod
    async def _spawn(cls) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                reader, writer = await asyncio.open_unix_connection(sock=ours)
            except BaseException:
                ours.close()
                raise
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",  # do not import from the current folder
                    "-m",
                    "vieneu_core.worker.child",
                    str(theirs.fileno()),
                    str(os.getpid()),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    pass_fds=(theirs.fileno(),),
                    env=_environment(),
                )
            except OSError:
                writer.close()
                await writer.wait_closed()
                raise
            except asyncio.CancelledError:
                writer.close()
                raise
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send without waiting. If the process has ended, `receive` reports it."""
        self._writer.write(encode(message))

    async def receive(self) -> Message | None:
        """Wait for a message; return None if the process has ended, or sent invalid data."""
        try:
            prefix = await self._reader.readexactly(LENGTH.size)
            return decode(await self._reader.readexactly(frame_length(prefix)))
        except (asyncio.IncompleteReadError, OSError):
            return None
        except MessageError:
            _LOGGER.exception("Worker %d sent what is no message", self.pid)
            return None

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def close(self, grace_s: float) -> None:
        """End the process, gracefully first, and wait for it.

        Args:
            grace_s: Seconds of real time for a graceful end; 0 kills it at once.
        """
        try:
            if grace_s > 0:
                self.send(Shutdown())
                await self._ends_within(grace_s)
        finally:
            await asyncio.shield(self._reap())

    async def _reap(self) -> None:
        if self._process.returncode is None:
            self.kill()
        await self._process.wait()
        # A process that the engine started may keep the pipe open for longer.
        await asyncio.wait((self._drain,), timeout=_DRAIN_S)
        self._drain.cancel()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _ends_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                # A worker whose messages are not read would block while it writes one.
                with contextlib.suppress(OSError):  # a dead worker may leave unread messages
                    while await self._reader.read(_READ_BYTES):
                        pass
                await self._process.wait()

    @property
    def was_killed(self) -> bool:
        """Return whether a closed process ended by SIGKILL, which always comes from outside."""
        return self._process.returncode == -signal.SIGKILL

    def how_it_ended(self) -> str:
        """Describe how a closed process ended."""
        return _ending(self._process.returncode)

    def last_line(self) -> str:
        """Return the last line of the process's output, which often explains its end."""
        return self._last_lines[-1] if self._last_lines else "nothing"

    async def _drain_output(self) -> None:
        """Read the output of the process continuously, so that it never blocks."""
        stream = self._process.stdout
        if stream is None:  # pragma: no cover - it is a pipe, as asked for in spawn
            return
        rest = b""
        while part := await stream.read(4096):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._keep(line)
            rest = rest[-_LINE_CHARS:]
        self._keep(rest)

    def _keep(self, line: bytes) -> None:
        text = line[:_LINE_CHARS].decode(errors="replace").strip()
        if text:
            self._last_lines.append(text)
            _LOGGER.debug("Worker %d: %s", self.pid, text)


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, _T]) -> _T:
    """Wait for ``work`` for at most this many seconds of the clock.

    Raises:
        TimeoutError: it took longer, and was cancelled.
    """
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return await task
        raise TimeoutError
    finally:
        await _cancel(task, timer)


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _start_error(error: OSError) -> EngineError:
    kind = WorkerStartError if error.errno in _LACKS else ModelLoadError
    return kind(
        Translatable(
            "The engine's process cannot start: {error}.",
            error=joined(": ", [str(part) for part in (error.filename, error.strerror) if part])
            or error,
        )
    )


def _environment() -> dict[str, str]:
    """Return the environment with this interpreter's module path, so that engines are found."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _ending(returncode: int | None) -> str:
    if returncode is None or returncode >= 0:
        return Translatable("ended with exit status {returncode}", returncode=returncode)
    try:
        name: str = signal.Signals(-returncode).name
    except ValueError:
        name = Translatable("signal {number}", number=-returncode)
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return Translatable("was killed by {name}{hint}", name=name, hint=hint)
