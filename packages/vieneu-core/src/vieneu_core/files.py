"""Files that are replaced whole or not at all, whatever happens in between. Blocking."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600
"""Mode of a file that its owner alone can read."""


def write_atomic(
    target: Path, data: bytes | str, *, mode: int | None = None, durable: bool = True
) -> None:
    """Replace a file in one step; a crash at any point leaves the old or the new one whole.

    The file stays its owner's. Its folder must be there.

    Args:
        target: The file; a link is replaced, not followed.
        data: New content; text is written as UTF-8.
        mode: Permissions, such as `PRIVATE`, from the first byte on; None leaves them to the umask.
        durable: Whether it must outlast a power cut. What can be made again need not.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        content = data.encode() if isinstance(data, str) else data
        _write(draft, content, mode, like=target, durable=durable)
        draft.replace(target)
        if durable:
            _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def replace_durably(draft: Path, target: Path) -> None:
    """Put a finished draft in the place of a file of the same folder, so that a power cut keeps it.

    Raises:
        OSError: it cannot be done.
    """
    _sync(draft, os.O_RDONLY)
    draft.replace(target)
    _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)


def remove_drafts(target: Path) -> None:
    """Delete what killed writers left. Only where nobody else can be writing, as under a lock.

    Raises:
        OSError: it cannot be deleted.
    """
    for draft in target.parent.glob(f".{target.name}.*.tmp"):
        draft.unlink(missing_ok=True)


def _write(draft: Path, data: bytes, mode: int | None, *, like: Path, durable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(draft, flags, 0o666 if mode is None else mode)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, opened with its mode
        if mode is not None:
            os.fchmod(descriptor, mode)
        with suppress(OSError):  # root keeps the file its owner's; anyone else owns it anyway
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
