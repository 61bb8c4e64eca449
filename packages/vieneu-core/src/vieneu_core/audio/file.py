"""Writing of speech to files, atomically."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import AsyncIterable, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from vieneu_core.arguments import path_of
from vieneu_core.audio.encode import (
    AudioFormat,
    Muxer,
    format_named,
    format_of,
    one_rate,
)
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.whole_sentences import whole_sentences
from vieneu_core.errors import InvalidRequestError
from vieneu_core.files import NotOrdinaryFileError, check_ordinary
from vieneu_core.threads import on_thread
from vieneu_core.translatable import Translatable


async def write_file(
    chunks: AsyncIterable[AudioChunk],
    path: str | os.PathLike[str],
    fmt: AudioFormat | str | None = None,
) -> None:
    """Write speech to a file atomically, holding at most one sentence in memory.

    A sentence that a failure cut off and another backend repeated is in the file once.

    Args:
        chunks: The speech.
        path: The file; one that exists is replaced at the end, and keeps its permissions.
        fmt: An `AudioFormat` or its name; None means the format of the suffix.

    Raises:
        InvalidRequestError: the file cannot be written, or its format is unknown.
        StreamInterruptedError: the speech has no end mark.
        BadAudioError: the sample rate changes within the stream.
        VieneuError: whatever ``chunks`` raises.
    """
    path = path_of("path", path)
    known = format_of(path) if fmt is None else format_named(fmt)
    async with AsyncExitStack() as stack:
        speech = await stack.enter_async_context(aclosing(one_rate(whole_sentences(chunks))))
        file = _PartFile(path, known)
        stack.push_async_callback(on_thread, file.discard)
        await on_thread(file.open)
        async for chunk in speech:
            await on_thread(file.write, chunk)
        await on_thread(file.publish)


class _WholeWrites(FileIO):
    """An unbuffered file that reports errors at once; FFmpeg buffers, and does not check writes."""

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while rest:
            rest = rest[super().write(rest) :]
        return len(data)


class _PartFile:
    """A temporary file beside the target, renamed when it is complete. Blocking."""

    def __init__(self, path: Path, fmt: AudioFormat) -> None:
        self._named = path
        self._fmt = fmt
        self._muxer: Muxer | None = None
        self._cleanup = ExitStack()

    def open(self) -> None:
        with self._translated():
            # The target of a link is replaced, not the link.
            self._path = Path(os.path.realpath(self._named))
            check_ordinary(self._path)
            self._part = self._path.with_name(f".{uuid.uuid4().hex}.part")
            self._file = _WholeWrites(self._part, "xb")
            self._cleanup.callback(self._part.unlink, missing_ok=True)
            self._cleanup.enter_context(suppress(OSError))  # the full disk, reported once more
            self._cleanup.callback(self._file.close)
            if self._path.exists():
                _resemble(self._file.fileno(), self._path.stat())

    def write(self, chunk: AudioChunk) -> None:
        with self._translated():
            if self._muxer is None:
                rate = chunk.sample_rate_hz
                self._muxer = Muxer(self._file, self._fmt, rate, streamed=False)
                self._cleanup.callback(self._muxer.abandon)
            self._muxer.write(chunk.pcm)

    def publish(self) -> None:
        with self._translated():
            if self._muxer is not None:
                self._muxer.finish()
            self._file.close()
            self._part.replace(self._path)

    def discard(self) -> None:
        """Delete the temporary file; without effect after `publish`."""
        self._cleanup.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            reason = os.strerror(err.errno) if err.errno else str(err)
            remedy = "Choose a folder that exists, may be written to and has room."
            if isinstance(err, NotOrdinaryFileError):
                reason, remedy = err.reason, "Give the name of a file, such as speech.wav."
            raise InvalidRequestError(
                Translatable(
                    "{named} cannot be written: {reason}.", named=self._named, reason=reason
                ),
                remedy=remedy,
            ) from err


def _resemble(descriptor: int, replaced: os.stat_result) -> None:
    """Give a new file the owner and the permissions of the one that it replaces."""
    with suppress(OSError):  # only root can; whoever else writes it owns it anyway
        os.fchown(descriptor, replaced.st_uid, replaced.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(replaced.st_mode))
