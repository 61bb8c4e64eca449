"""A repository's folder in the cache, in the hub's own layout, and what is remembered of it.

The layout is the one that all programs of the hub share, so that what one of them fetched serves
the others: https://huggingface.co/docs/huggingface_hub/guides/manage-cache. Beside it lies
``vieneu.json``: which commit a branch stood for when it was first fetched, and which files were
held against their checksums. Without it, no harm is done; things are only looked up again.
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

_FORMAT = 1
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was held against its checksum."""

    size: int
    """Bytes."""
    mtime_ns: int
    """When its content was last changed, in nanoseconds since 1970."""
    sha256: str

    @classmethod
    def now(cls, path: Path, sha256: str) -> Checked:
        """Describe a file as it is at this moment.

        Raises:
            OSError: there is no such file.
        """
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, sha256)

    def still_describes(self, path: Path) -> bool:
        """Whether the file looks untouched since."""
        try:
            return Checked.now(path, self.sha256) == self
        except OSError:
            return False


@dataclass(slots=True)
class CacheIndex:
    """What is remembered of a repository."""

    commits: dict[str, str] = field(default_factory=dict)
    """The commit that each branch or tag is pinned to."""
    selections: dict[str, list[str]] = field(default_factory=dict)
    """The files that patterns stood for, by commit and patterns."""
    files: dict[str, Checked] = field(default_factory=dict)
    """By commit and name."""

    @classmethod
    def parse(cls, text: str) -> CacheIndex:
        """Read it; a damaged one knows nothing."""
        try:
            stored = json.loads(text)
            if stored["format"] != _FORMAT:
                return cls()
            files = {str(key): Checked(**value) for key, value in stored["files"].items()}
            commits = {str(key): str(value) for key, value in stored["commits"].items()}
            selections = {key: [*map(str, names)] for key, names in stored["selections"].items()}
            return cls(commits, selections, files)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls()

    def dump(self) -> str:
        """Write it, for `parse`."""
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
        """Return where the content of this ETag lies."""
        return self.folder / "blobs" / etag

    def ref(self, revision: str) -> str | None:
        """Return the commit that another program of the hub found behind a branch or tag."""
        try:
            return (self.folder / "refs" / revision).read_text("ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def set_ref(self, revision: str, commit: str) -> None:
        """Tell the other programs of the hub which commit a branch or tag stands for."""
        path = self.folder / "refs" / revision
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, commit, durable=False)

    def index(self) -> CacheIndex:
        """Read what is remembered."""
        try:
            return CacheIndex.parse(self._index_path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            return CacheIndex()

    def remember(self, index: CacheIndex) -> None:
        """Write what is to be remembered. Only under `locked`."""
        write_atomic(self._index_path, index.dump(), durable=False)

    def link(self, commit: str, name: str, etag: str) -> Path:
        """Make the content of an ETag a file of a commit, and return its path."""
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
        """Return the ETag of a file of a commit; empty where its content lies elsewhere."""
        content = path.resolve()
        return content.name if content.parent == self.folder.resolve() / "blobs" else ""

    def discard(self, path: Path, etag: str) -> None:
        """Delete a file of a commit together with its content."""
        path.unlink(missing_ok=True)
        if etag:
            self.blob(etag).unlink(missing_ok=True)

    @contextmanager
    def locked(self, on_wait: Callable[[], None]) -> Iterator[bool]:
        """Keep other processes of this program out; yields False where nothing can be written.

        The kernel gives the lock back when a process ends, however it ends.
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
