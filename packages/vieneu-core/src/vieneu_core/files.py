"""Atomic replacement of files, and notice of their changes. Blocking."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

PRIVATE = 0o600
"""Mode of a file that only its owner can read and write."""

Signature = tuple[int, int, int] | None


class NotOrdinaryFileError(OSError):
    """A path is that of a folder, a pipe or a device."""

    reason: ClassVar[str] = "it is no ordinary file"

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, self.reason, str(path))


def signature_of(path: Path) -> Signature:
    """Return what changes whenever a file does; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def check_ordinary(path: Path) -> None:
    """Check that a path is free or an ordinary file, before it is read or replaced.

    Opening a pipe waits for its other end, and root would replace even a device.

    Raises:
        NotOrdinaryFileError: it is neither.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(mode):
        raise NotOrdinaryFileError(path)


def write_atomic(
    target: Path,
    data: bytes | str,
    *,
    mode: int | None = None,
    durable: bool = True,
    room: int = 0,
) -> None:
    """Replace a file atomically: a crash at any point leaves the complete old or new file.

    The owner does not change. The folder must exist.

    Args:
        target: The file; a link is replaced, not followed.
        data: New content; text is written as UTF-8.
        mode: Permissions, such as `PRIVATE`, from the first byte on; None means the umask's.
        durable: Whether it must survive a power cut.
        room: Bytes that the disk must have room for, if they are more than the content.

    Raises:
        OSError: it cannot be written, or is a folder or a device; the old file is unchanged.
    """
    check_ordinary(target)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        content = data.encode() if isinstance(data, str) else data
        _check_room(draft, room)
        _write(draft, content, mode, like=target, durable=durable)
        draft.replace(target)
        if durable:
            _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def replace_durably(draft: Path, target: Path) -> None:
    """Replace a file by a finished draft in the same folder, and make that survive a power cut.

    Raises:
        OSError: it cannot be replaced.
    """
    _sync(draft, os.O_RDONLY)
    draft.replace(target)
    _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)


def remove_drafts(target: Path) -> None:
    """Delete drafts left by killed writers. Only while nobody else can write, as under a lock.

    Raises:
        OSError: one cannot be deleted.
    """
    for draft in target.parent.glob(f".{target.name}.*.tmp"):
        draft.unlink(missing_ok=True)


def _check_room(draft: Path, n_bytes: int) -> None:
    """Really write so many bytes, and remove them: only that proves that there is room."""
    if n_bytes:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(b"#" * n_bytes)
            file.flush()
            os.fsync(descriptor)
        draft.unlink()


def _write(draft: Path, data: bytes, mode: int | None, *, like: Path, durable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(draft, flags, 0o666 if mode is None else mode)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, opened with its mode
        if mode is not None:
            os.fchmod(descriptor, mode)
        with suppress(OSError):  # root preserves the owner; other users own it anyway
            owner = like.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(data)
        if durable:
            file.flush()
            os.fsync(descriptor)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
