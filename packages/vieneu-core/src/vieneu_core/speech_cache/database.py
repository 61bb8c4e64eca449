"""Entries by key in one SQLite database of the library diskcache. Not what an entry holds.

All values are stored inside the database, none in files beside it: a process that is killed while
it writes leaves neither half an entry nor a file that nobody counts.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import DBNAME, MODE_RAW

from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

LARGEST_SHARE = 50
"""An entry takes at most this part of the cache: the library removes ten entries at a time."""
_BUSY_S = 1.0
"""Longest wait for another process that writes."""
_JOURNAL_SHARE = 10
"""Part of the room that is left to SQLite's journal."""
_NOTING = {"eviction_policy": "least-recently-used", "statistics": 1}
"""Settings with which each lookup writes that it was made."""
_NOT_NOTING = {"eviction_policy": "none", "statistics": 0}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REASONS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
}


class _BytesDisk(diskcache.Disk):  # type: ignore[misc]  # the library has no types
    """Bytes by text, in the database itself; nothing is pickled, and no pickle is ever loaded."""

    def put(self, key: object) -> tuple[str, bool]:
        """Return a key as it is stored."""
        if not isinstance(key, str):
            raise TypeError("a key must be a string")
        return key, True

    def get(self, key: object, raw: bool) -> str:
        """Return a key as it was given."""
        if not (raw and isinstance(key, str)):
            raise sqlite3.DataError("a key of another kind")
        return key

    def store(self, value: object, read: bool, key: object = None) -> tuple[Any, ...]:
        """Return the columns of a value."""
        del key
        if read or not isinstance(value, bytes):
            raise TypeError("a value must be bytes")
        return 0, MODE_RAW, None, sqlite3.Binary(value)

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> bytes:
        """Return a value; one of another kind counts as not there, as `OSError` does."""
        if read or mode != MODE_RAW or filename is not None or not isinstance(value, bytes):
            raise OSError("a value of another kind")
        return value

    def remove(self, file_path: object) -> None:
        """Remove no file: there is none."""


class _Cache(diskcache.Cache):  # type: ignore[misc]  # the library has no types
    """The library's cache, which leaves no connection open where it cannot be opened."""

    def __init__(self, *args: object, **settings: object) -> None:
        with ExitStack() as opening:
            opening.callback(self.close)
            super().__init__(*args, **settings)
            opening.pop_all()


class Database:
    """Entries by key; the one that was not used for longest goes first. Blocking; for one thread.

    Every method opens it where need be, and raises:
        ConfigurationError: the folder cannot be used; says why.

    Args:
        folder: Made where it is missing, for its owner alone.
        max_bytes: Most that the folder may take on the disk.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = Path(os.path.expandvars(folder))  # as the library does
        self.max_entry_bytes = max_bytes // LARGEST_SHARE
        self._limit = max_bytes - max_bytes // _JOURNAL_SHARE
        self._journal_bytes = max_bytes // _JOURNAL_SHARE // 2
        self._open: Any = None

    def prepare(self) -> None:
        """Open it."""
        with self._used():
            return

    def get(self, key: str, *, counted: bool = True) -> bytes | None:
        """Return an entry, and note its use; None where there is none.

        Args:
            key: Of the entry.
            counted: Whether `count` counts it.
        """
        try:
            with self._used() as cache:
                found = _noted(cache, key, counted=counted)
        except ConfigurationError as error:
            found = self._unopened(key) if error.__cause__ is not None else None
            if found is None:
                raise
        return found if isinstance(found, bytes) else None

    def put(self, key: str, entry: bytes) -> None:
        """Store an entry, and make room for it."""
        with self._used() as cache:
            cache.set(key, entry)
            cache.cull()

    def remove(self, key: str) -> None:
        """Remove an entry."""
        with self._used() as cache:
            cache.delete(key)

    def clear(self) -> None:
        """Remove all entries and counts, if there are any."""
        if not self.folder.exists():
            return
        with self._used() as cache:
            cache.clear()
            cache.stats(reset=True)
        self.close()  # which empties the journal too, where no other process has it open

    def count(self) -> tuple[int, int, int]:
        """Return the number of entries, and of lookups that found one and that did not.

        It makes no folder where there is none.
        """
        if not self.folder.exists():
            return 0, 0, 0
        with self._used() as cache:
            hits, misses = cache.stats()
            return len(cache), hits, misses

    @property
    def n_bytes(self) -> int:
        """Bytes on the disk; 0 where they cannot be seen."""
        sizes = 0
        for path in self._files():
            with suppress(OSError):
                sizes += path.stat().st_size
        return sizes

    def close(self) -> None:
        """Close it; any use opens it again."""
        if self._open is not None:
            with suppress(sqlite3.Error):
                self._open.close()
        self._open = None

    @contextmanager
    def _used(self) -> Iterator[Any]:
        """Lend the library's cache; a damaged one begins anew, empty, at the next use."""
        try:
            if self._open is not None and not self._files()[0].exists():
                self.close()  # somebody removed it; what is written there now would be lost
            if self._open is None:
                make_private(self.folder)
                self._open = self._opened()
            yield self._open
        except (sqlite3.Error, diskcache.Timeout, OSError, ValueError) as error:
            # Left open where the disk is full: it could not be opened again, and can be read.
            if isinstance(error, diskcache.Timeout) and self._open is not None:
                self._open.close()  # of the connection alone, which opens again by itself
            if _is_damaged(error):
                self.close()
                self._discard()
            raise unusable(self.folder, error) from error

    def _opened(self) -> Any:
        try:
            return self._connected()
        except (sqlite3.DatabaseError, ValueError) as error:
            if not _is_damaged(error):
                raise
        self.close()
        self._discard()
        return self._connected()

    def _connected(self) -> Any:
        return _Cache(
            str(self.folder),
            timeout=_BUSY_S,
            disk=_BytesDisk,
            **_NOTING,
            size_limit=self._limit,
            cull_limit=0,
            # A file that shrinks while it is mapped would end this process with a signal.
            sqlite_mmap_size=0,
            sqlite_journal_size_limit=self._journal_bytes,
            sqlite_wal_autocheckpoint=max(1, self._journal_bytes // 2 // 4096),
        )

    def _unopened(self, key: str) -> object:
        """Read an entry of a database that cannot be opened: its disk is full, or read-only.

        What lies in the journal is not found. What another process changes meanwhile may be read
        half; whoever gets it has a checksum.
        """
        uri = f"{self._files()[0].absolute().as_uri()}?mode=ro&immutable=1"
        query = "SELECT value FROM Cache WHERE key = ? AND raw = 1 AND mode = ?"
        with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as connection:
            for (value,) in connection.execute(query, (key, MODE_RAW)):
                return value
        return None

    def _discard(self) -> None:
        for path in self._files():
            with suppress(OSError):
                path.unlink()

    def _files(self) -> list[Path]:
        return [self.folder / f"{DBNAME}{suffix}" for suffix in ("", "-wal", "-shm")]


def _noted(cache: Any, key: str, *, counted: bool) -> Any:
    """Read an entry and note that; only read it where the disk is full or another one writes."""
    _set(cache, _NOTING | {"statistics": int(counted)})
    try:
        return cache.get(key)
    except (sqlite3.OperationalError, diskcache.Timeout):
        _set(cache, _NOT_NOTING)
        return cache.get(key)


def _set(cache: Any, settings: Mapping[str, object]) -> None:
    """Change settings in memory, not in the file."""
    for name, value in settings.items():
        cache.reset(name, value, update=False)


def make_private(folder: Path) -> None:
    """Make a folder for this user alone; make sure that one that exists is.

    Raises:
        OSError: it cannot be made.
        ConfigurationError: others may enter it, or own it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    about = folder.stat()
    if not stat.S_ISDIR(about.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o077:
        raise ConfigurationError(
            Translatable(
                "The folder {folder} of the speech cache is open to others.", folder=folder
            ),
            remedy=Translatable("Make it private: chmod 700 {folder}", folder=folder),
        )


def unusable(folder: Path, error: Exception) -> ConfigurationError:
    """Return the error for a folder that cannot be used."""
    return ConfigurationError(
        Translatable(
            "The speech cache in {folder} cannot be used: {reason}.",
            folder=folder,
            reason=_reason(error),
        ),
        remedy="Make the folder writable, free space on its disk, or name another: cache.folder.",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, diskcache.Timeout):
        return "another process is writing"
    return os.strerror(_REASONS.get(_code(error), errno.EIO))


def _is_damaged(error: Exception) -> bool:
    """Whether a database cannot be mended: the library gives ValueError where rows are missing."""
    return isinstance(error, ValueError) or _code(error) in _DAMAGED


def _code(error: Exception) -> int:
    """Return the primary result code of SQLite; 0 where there is none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
