"""Writes a file that its owner alone can read: whole or not at all, and so that it stays."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600


def write_private(target: Path, text: str) -> None:
    """Replace a file in one step; a crash at any point leaves the old or the new one whole.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        _write_durably(draft, text, like=target)
        draft.replace(target)
        _sync_folder(target.parent)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _write_durably(draft: Path, text: str, *, like: Path) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, opened with its mode
        os.fchmod(descriptor, PRIVATE)
        with suppress(OSError):  # root keeps the file its owner's; anyone else owns it anyway
            owner = like.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
