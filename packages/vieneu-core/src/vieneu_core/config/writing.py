"""Locking and durable writing of the settings file."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vieneu_core.config.overwriting import FOLDER_IN_THE_WAY, DetachedFileError, write_whole
from vieneu_core.errors import SettingsFileError
from vieneu_core.files import PRIVATE
from vieneu_core.translatable import Translatable

MAX_BYTES = 1 << 20
LOCK_TIMEOUT_S = 10.0
_LOCK_POLL_S = 0.02


@contextmanager
def locked(target: Path, shown: Path) -> Iterator[None]:
    """Hold the lock file beside the target, and the target itself.

    The lock file is never removed, because that would be a race. Whoever has the file alone, as in
    a container, does not see the lock file; there the target is all that can be held.

    Raises:
        SettingsFileError: neither can be opened, or another program holds it for too long.
    """
    with ExitStack() as held:
        failure: OSError | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = target.with_name(f".{target.name}.lock")
            _hold(held, lock, os.O_RDWR | os.O_CREAT, shown)
        except OSError as err:
            if err.errno not in FOLDER_IN_THE_WAY:
                raise _unwritable(shown, err) from err
            failure = err
        try:
            _hold(held, target, os.O_RDWR, shown)
        except OSError:
            if failure is not None:
                raise _unwritable(shown, failure) from failure
        yield


def _hold(held: ExitStack, path: Path, flags: int, shown: Path) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC, PRIVATE)
    held.callback(os.close, descriptor)
    _wait_for(descriptor, shown)


def _wait_for(lock: int, shown: Path) -> None:
    give_up_at = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            if time.monotonic() > give_up_at:
                raise SettingsFileError(
                    Translatable(
                        "{shown}: another program has been writing it for {lock_timeout_s:.0f} s.",
                        shown=shown,
                        lock_timeout_s=LOCK_TIMEOUT_S,
                    ),
                    remedy="Try again when it is done.",
                ) from err
            time.sleep(_LOCK_POLL_S)
        else:
            return


def write(target: Path, text: str, shown: Path, *, room: int = 0) -> None:
    """Replace the file; where it cannot be replaced, write over it. Only while it is `locked`.

    Args:
        target: The file.
        text: Its new content.
        shown: Its path, for errors.
        room: Length of a content that must have room after this one.

    Raises:
        SettingsFileError: it cannot be written; the old content stays.
    """
    try:
        write_whole(target, text, max_bytes=MAX_BYTES, room=room)
    except DetachedFileError as err:
        raise SettingsFileError(
            Translatable(
                "{shown}: it was replaced outside this container, which still has the former file.",
                shown=shown,
            ),
            remedy="Start the container again; or mount the file's folder, not the file alone.",
        ) from err
    except OSError as err:
        raise _unwritable(shown, err) from err


def _unwritable(shown: Path, err: OSError) -> SettingsFileError:
    return SettingsFileError(
        Translatable(
            "{shown}: it cannot be written ({strerror}).", shown=shown, strerror=err.strerror
        ),
        remedy=(
            "Make its folder writable, and free space on its disk;"
            " or name another file: --config or VIENEU_CONFIG."
        ),
    )
