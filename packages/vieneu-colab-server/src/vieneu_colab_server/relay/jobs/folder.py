"""The folder of all jobs as the system sees it: its owner, its size, its errors. Blocking."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from vieneu_colab_server.relay.jobs.errors import JobNotFoundError, JobStorageError
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable


def locked(folder: Path) -> IO[bytes]:
    """Return a file that keeps other processes from the folder until it is closed.

    Raises:
        ConfigurationError: another process uses the folder.
        OSError: the file cannot be written.
    """
    lock = (folder / ".lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        if error.errno not in {errno.EACCES, errno.EAGAIN}:
            raise
        raise ConfigurationError(
            Translatable("Another process uses the folder of jobs {folder}.", folder=folder),
            remedy="Stop it, or give this one a folder of its own.",
        ) from error
    return lock


def size_of(folder: Path) -> int:
    """Return the size of all files in a folder, in bytes."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(parent) / name).stat().st_size
    return total


def present(path: Path) -> Path:
    """Return the path of a file that is there.

    Raises:
        JobNotFoundError: somebody has deleted it.
    """
    if not path.is_file():
        raise JobNotFoundError("The file of this job was deleted.", remedy="Make the job again.")
    return path


@contextmanager
def translated() -> Iterator[None]:
    """Raise errors of the system as `JobStorageError`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error) from error


def storage_error(error: OSError) -> JobStorageError:
    """Return the error for what the system says of the folder; its path is not shown."""
    reason = os.strerror(error.errno) if error.errno else "it cannot be used"
    return JobStorageError(
        Translatable("The folder of the jobs cannot be used: {reason}.", reason=reason)
    )
