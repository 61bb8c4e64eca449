"""Writing of a file that cannot be replaced, such as one that is mounted by itself.

The new content is first appended as a comment, with its checksum; then it is written over the old
content, and the comment is cut off. A writer that is killed leaves the old content with a part of
the comment, or the complete comment: `whole` restores the content either way. Blocking.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from vieneu_core.files import PRIVATE, remove_drafts, write_atomic

_MARK = b"# new content, being written by VieNeu Relay: "
_COMPLETE = re.compile(re.escape(_MARK) + rb"([0-9a-f]{64}) ([A-Za-z0-9+/=]*)\n\Z")
_STARTED = re.compile(rb"\n#*" + re.escape(_MARK) + rb"[^\n]*\n?\Z")


FOLDER_IN_THE_WAY = frozenset({errno.EACCES, errno.EBUSY, errno.EPERM, errno.EROFS, errno.EXDEV})
"""The folder cannot be written, or the file is mounted by itself: it cannot be replaced."""
_MOST_READINGS = 100
"""A file that changes all the time is read as it is in the end."""


class DetachedFileError(OSError):
    """The file has no name any more: another file has taken its place outside a mount."""


def read_whole(path: Path) -> bytes:
    """Read a file that may be written over meanwhile.

    Raises:
        OSError: it cannot be read.
    """
    raw = path.read_bytes()
    for _ in range(_MOST_READINGS):  # one reading alone may have seen two states
        again = path.read_bytes()
        if again == raw:
            break
        raw = again
    return whole(raw)


def whole(raw: bytes) -> bytes:
    """Return the content of a file as it was before, or as it is after, a write that was cut off.

    Args:
        raw: What the file holds.
    """
    raw = raw.rstrip(b"\0")  # which a power cut may leave where something was to be appended
    found = _COMPLETE.search(raw)
    if found and _digest(found[2]) == found[1]:
        return base64.b64decode(found[2])
    return _STARTED.sub(b"", raw)


def write_whole(target: Path, text: str, *, max_bytes: int, room: int = 0) -> None:
    """Replace a private file; where it cannot be replaced, write over it. Only under a lock.

    Args:
        target: The file.
        text: Its new content.
        max_bytes: Largest file while it is written over.
        room: Length of a content that must have room after this one.

    Raises:
        OSError: it cannot be written; the old content stays.
    """
    try:
        remove_drafts(target)
        write_atomic(target, text, mode=PRIVATE, room=room)
    except OSError as err:
        if err.errno not in FOLDER_IN_THE_WAY or not target.is_file():
            raise
        if room:
            check_overwritable(target, room)
        overwrite(target, text.encode(), mode=PRIVATE, max_bytes=max_bytes)


def check_overwritable(target: Path, n_bytes: int) -> None:
    """Really append as many bytes as `overwrite` of a content needs, and cut them off again.

    They are a comment at any moment: a crash meanwhile changes no value. Only under a lock.

    Args:
        target: The file, which must exist; no link is followed.
        n_bytes: Length of the content.

    Raises:
        DetachedFileError: the file was deleted or replaced; nobody would read what is written.
        OSError: it cannot be written; it is unchanged.
    """
    descriptor = os.open(target, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "r+b", buffering=0):  # noqa: PTH123 - a descriptor
        if os.fstat(descriptor).st_nlink == 0:
            raise DetachedFileError(errno.ESTALE, os.strerror(errno.ESTALE))
        size = os.fstat(descriptor).st_size
        try:
            _write_at(descriptor, b"\n" + b"#" * (3 * n_bytes), size)
            os.fsync(descriptor)
        finally:
            os.ftruncate(descriptor, size)


def overwrite(target: Path, content: bytes, *, mode: int, max_bytes: int) -> None:
    """Write over a file; what a killed writer leaves, `whole` reads. Only under a lock.

    Args:
        target: The file, which must exist; no link is followed.
        content: The new content.
        mode: Permissions; they stay as they are where the file belongs to another user.
        max_bytes: Largest file while it is written: twice as large, and more, as afterwards.

    Raises:
        DetachedFileError: the file was deleted or replaced; nobody would read what is written.
        OSError: it cannot be written; the old content stays.
    """
    descriptor = os.open(target, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "r+b", buffering=0) as file:  # noqa: PTH123 - a descriptor
        if os.fstat(descriptor).st_nlink == 0:
            raise DetachedFileError(errno.ESTALE, os.strerror(errno.ESTALE))
        with suppress(PermissionError):
            os.fchmod(descriptor, mode)
        raw = file.readall()
        if (before := whole(raw)) != raw:
            _settle(descriptor, before)
        _append(descriptor, len(before), content, max_bytes)
        _settle(descriptor, content)


def _append(descriptor: int, size: int, content: bytes, max_bytes: int) -> None:
    """Append the comment, behind all that the content will be written over."""
    encoded = base64.b64encode(content)
    filler = b"\n" + b"#" * max(0, len(content) - size)
    comment = filler + _MARK + _digest(encoded) + b" " + encoded + b"\n"
    if size + len(comment) > max_bytes:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    try:
        _write_at(descriptor, comment, size)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _settle(descriptor: int, content: bytes) -> None:
    """Write the content, and cut off the comment once that is on the disk."""
    _write_at(descriptor, content, 0)
    os.fsync(descriptor)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
