"""Folder of a repository in the hub's cache, and an index of the verified files.

The layout is the one that all programs of the hub share, so that each can use the downloads of
the others: https://huggingface.co/docs/huggingface_hub/guides/manage-cache. The file
``vieneu.json`` beside it records the commit to which a branch is pinned, and the files whose
checksums were verified. If it is lost, that is determined again.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vieneu_core.files import write_atomic
from vieneu_core.untrusted_json import parse_json

_FORMAT = 1
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, slots=True)
class Checked:
    """A file whose checksum was verified."""

    size: int
    """Size in bytes."""
    mtime_ns: int
    """Time of the last change, in nanoseconds since 1970."""
    sha256: str

    @classmethod
    def now(cls, path: Path, sha256: str) -> Checked:
        """Record the current state of a file.

        Raises:
            OSError: there is no such file.
        """
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, sha256)

    def still_describes(self, path: Path) -> bool:
        """Return whether the file has the same size and time of change."""
        try:
            return Checked.now(path, self.sha256) == self
        except OSError:
            return False


@dataclass(slots=True)
class CacheIndex:
    """Recorded facts about a repository."""

    commits: dict[str, str] = field(default_factory=dict)
    """Commit to which each branch or tag is pinned."""
    selections: dict[str, list[str]] = field(default_factory=dict)
    """Files that matched patterns, by commit and patterns."""
    files: dict[str, Checked] = field(default_factory=dict)
    """Verified files, by commit and name."""

    @classmethod
    def parse(cls, text: str) -> CacheIndex:
        """Parse the index; a damaged one becomes empty."""
        try:
            stored = parse_json(text)
            if stored["format"] != _FORMAT:
                return cls()
            files = {str(key): Checked(**value) for key, value in stored["files"].items()}
            commits = {str(key): str(value) for key, value in stored["commits"].items()}
            selections = {key: [*map(str, names)] for key, names in stored["selections"].items()}
            return cls(commits, selections, files)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def dump(self) -> str:
        """Serialize the index for `parse`."""
        stored: Mapping[str, Any] = {
            "format": _FORMAT,
            "commits": self.commits,
            "selections": self.selections,
            "files": {key: asdict(value) for key, value in self.files.items()},
        }
        return json.dumps(stored, indent=1, sort_keys=True)


def file_key(commit: str, name: str) -> str:
    """Return the key of a file in `CacheIndex.files`."""
    return f"{commit}/{name}"


def selection_key(commit: str, patterns: tuple[str, ...]) -> str:
    """Return the key of patterns in `CacheIndex.selections`."""
    return " ".join((commit, *patterns))


class RepoCache:
    """One repository in a cache folder. Blocking; each method may raise OSError."""

    def __init__(self, cache_dir: Path, repo: str) -> None:
        self.folder = cache_dir / f"models--{repo.replace('/', '--')}"
        self._index_path = self.folder / "vieneu.json"

    def snapshot(self, commit: str) -> Path:
        """Return the folder of a commit's files."""
        return self.folder / "snapshots" / commit

    def blob(self, etag: str) -> Path:
        """Return the path of the content with this ETag."""
        return self.folder / "blobs" / etag

    def ref(self, revision: str) -> str | None:
        """Return the commit of a branch or tag that another program of the hub recorded."""
        try:
            return (self.folder / "refs" / revision).read_text("ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def set_ref(self, revision: str, commit: str) -> None:
        """Record the commit of a branch or tag for other programs of the hub."""
        path = self.folder / "refs" / revision
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, commit, durable=False)

    def index(self) -> CacheIndex:
        """Read the index."""
        try:
            return CacheIndex.parse(self._index_path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            return CacheIndex()

    def remember(self, index: CacheIndex) -> None:
        """Write the index. Only under `locked`."""
        write_atomic(self._index_path, index.dump(), durable=False)

    def link(self, commit: str, name: str, etag: str) -> Path:
        """Link the content of an ETag as a file of a commit, and return its path."""
        path, blob = self.snapshot(commit) / name, self.blob(etag)
        if path.is_symlink() and path.resolve() == blob.resolve():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        try:
            path.symlink_to(os.path.relpath(blob, path.parent))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            shutil.copyfile(blob, path)  # a file system without links
        return path

    def content_name(self, path: Path) -> str:
        """Return the ETag of a file of a commit; empty if its content is not in the cache."""
        content = path.resolve()
        return content.name if content.parent == self.folder.resolve() / "blobs" else ""

    def discard(self, path: Path, etag: str) -> None:
        """Delete a file of a commit and its content."""
        path.unlink(missing_ok=True)
        if etag:
            self.blob(etag).unlink(missing_ok=True)

    @contextmanager
    def locked(self, on_wait: Callable[[], None]) -> Iterator[bool]:
        """Lock the repository against other processes; yield False if the cache is not writable.

        The kernel releases the lock when a process ends, also after a crash.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / "vieneu.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
            yield False
            return
        try:
            _wait_for(lock, on_wait)
            yield True
        finally:
            os.close(lock)


def _wait_for(lock: int, on_wait: Callable[[], None]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        fcntl.flock(lock, fcntl.LOCK_EX)
