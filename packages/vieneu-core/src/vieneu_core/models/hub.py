"""Models of a hub: downloaded once, verified, and found again without network access."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.cache import (
    CacheIndex,
    Checked,
    RepoCache,
    file_key,
    selection_key,
)
from vieneu_core.models.checksum import has_etag, sha256_of
from vieneu_core.models.download import (
    Download,
    Meter,
    OnDownload,
    RetryPolicy,
    named_disk_error,
)
from vieneu_core.models.hub_client import HubClient, RemoteFile
from vieneu_core.models.hub_errors import (
    check_sizes,
    damaged_error,
    not_here_error,
    not_there_error,
)
from vieneu_core.models.hub_failures import FileNotThereError
from vieneu_core.models.local_files import checked_path
from vieneu_core.models.public_hub_client import PublicHubClient
from vieneu_core.models.source import ModelSource, is_match, is_pattern
from vieneu_core.translatable import Translatable


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A model hub and its cache folder. Blocking; for the worker process."""

    cache_dir: Path
    """A cache in the hub's layout, as returned by `hub_cache_dir`; it may be shared."""
    endpoint: str | None = None
    """URL of another hub than Hugging Face."""
    token: str | None = field(default=None, repr=False)
    offline: bool = False
    """Never use the network."""
    public: bool = False
    """Whether all files are public; then huggingface_hub is not needed."""
    max_file_bytes: int | None = None
    """Size above which a file is refused, in bytes."""
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)

    @classmethod
    def of_environment(
        cls,
        environ: Mapping[str, str],
        *,
        cache_dir: Path | None = None,
        offline: bool = False,
    ) -> Hub:
        """Return the hub that the environment variables of Hugging Face select.

        Its token is left to the library, which sends it to Hugging Face only: ``HF_ENDPOINT``
        may be another host.
        """
        return cls(
            cache_dir=cache_dir or hub_cache_dir(environ),
            endpoint=environ.get("HF_ENDPOINT") or None,
            offline=offline,
        )

    def client(self) -> HubClient | PublicHubClient:
        """Return a client; huggingface_hub must be installed for files that are not public."""
        timeout_s = self.retry_policy.timeout_s
        if self.public:
            return PublicHubClient(self.endpoint, os.environ, timeout_s=timeout_s)
        return HubClient(self.endpoint, self.token, timeout_s=timeout_s)

    def fetch(self, source: ModelSource, progress: OnDownload) -> Path:
        """Return the file or folder of a model; download what is missing.

        Cached files need no network access. A branch is pinned to the commit
        of its first download.

        Raises:
            ModelLoadError: not available; the message names the file, the reason and the remedy.
            MissingExtraError: huggingface_hub is needed and not installed.
        """
        if source.path is not None:
            return checked_path(source.path)
        task = _Task(self, source, progress)
        try:
            return task.recorded() or task.settled()
        except OSError as error:
            raise named_disk_error(error, self.cache_dir) from error


def find_cached(source: ModelSource, *, cache_dir: Path) -> Path | None:
    """Return the file or folder if it is on this machine, else None. Read-only.

    A file from another program, or one changed since, counts only after `Hub.fetch`
    has verified it.

    Raises:
        ModelLoadError: it is a path without a model.
    """
    if source.path is not None:
        return checked_path(source.path)
    return _Task(Hub(cache_dir=cache_dir), source, lambda *_: None).recorded()


def hub_cache_dir(environ: Mapping[str, str]) -> Path:
    """Return the cache folder that the environment variables of the hub's programs select.

    https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
    """
    for variable, below in (("HF_HUB_CACHE", ""), ("HF_HOME", "hub")):
        if environ.get(variable):
            return Path(environ[variable]).expanduser() / below
    home = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "huggingface" / "hub"


class _Task:
    """Search for one source."""

    def __init__(self, hub: Hub, source: ModelSource, progress: OnDownload) -> None:
        self._hub, self._source, self._progress = hub, source, progress
        self._cache = RepoCache(hub.cache_dir, source.repo)
        self._label = source.name or source.repo

    def recorded(self) -> Path | None:
        """Return the path if all files are recorded as verified and unchanged. Read-only."""
        index = self._cache.index()
        commit = self._source.revision if self._source.is_commit else self._pinned(index)
        names = None if commit is None else self._names(index, commit)
        if commit is None or names is None:
            return None
        if not all(self._is_recorded(index, commit, name) for name in names):
            return None
        return self._path(commit, names)

    def settled(self) -> Path:
        """Verify the files that are here, and download the others."""
        if self._hub.offline and not self._cache.folder.is_dir():
            raise not_here_error(self._source, self._cache.folder)
        wait = f"Waiting for another program that fetches {self._label}"
        with self._cache.locked(lambda: self._progress(wait, None, None)) as writable:
            # Another program may have downloaded it meanwhile.
            found = self.recorded() or self._checked(writable=writable)
            if found is not None:
                return found
            if self._hub.offline:
                raise not_here_error(self._source, self._cache.folder)
            if not writable:
                raise ModelLoadError(
                    Translatable(
                        "The cache folder {folder} cannot be written.", folder=self._cache.folder
                    ),
                    remedy="Make it writable for this program, or name another in the settings.",
                )
            return self._downloaded()

    def _pinned(self, index: CacheIndex) -> str | None:
        revision = self._source.revision
        return index.commits.get(revision) or self._cache.ref(revision)

    def _names(self, index: CacheIndex, commit: str) -> tuple[str, ...] | None:
        """Return the required files of a commit; None if only the hub knows them."""
        if not any(is_pattern(file) for file in self._source.files):
            return self._source.files
        known = index.selections.get(selection_key(commit, self._source.files))
        return None if known is None else tuple(known)

    def _is_recorded(self, index: CacheIndex, commit: str, name: str) -> bool:
        record = index.files.get(file_key(commit, name))
        wanted = self._source.sha256_of(name)
        return (
            record is not None
            and wanted in (None, record.sha256)
            and record.still_describes(self._cache.snapshot(commit) / name)
        )

    def _path(self, commit: str, names: tuple[str, ...]) -> Path:
        folder = self._cache.snapshot(commit)
        return folder if self._source.is_folder else folder / names[0]

    def _checked(self, *, writable: bool) -> Path | None:
        """Verify files that are here but not recorded; return None if one is missing."""
        index = self._cache.index()
        commit = self._source.revision if self._source.is_commit else self._pinned(index)
        names = None if commit is None else self._names(index, commit)
        if commit is None or names is None:
            return None
        folder = self._cache.snapshot(commit)
        if not all((folder / name).is_file() for name in names):
            return None
        for name in names:
            if not self._is_recorded(index, commit, name):
                self._check(index, commit, name)
        if writable:
            self._pin(index, commit)
        return self._path(commit, names)

    def _check(self, index: CacheIndex, commit: str, name: str, etag: str | None = None) -> None:
        """Verify a file against all known checksums, and record it.

        Raises:
            ModelLoadError: it is damaged, and was deleted.
        """
        path, key = self._cache.snapshot(commit) / name, file_key(commit, name)
        meter = Meter(f"Checking {name}", path.stat().st_size, self._progress)
        sha256 = sha256_of(path, meter.show)
        record = index.files.get(key)
        # Without the hub, the name of the content file is its ETag.
        etag = etag or self._cache.content_name(path)
        recorded = self._source.sha256_of(name) in (None, sha256) and (
            record is None or record.sha256 == sha256
        )
        if not (recorded and has_etag(path, sha256, etag)):
            self._cache.discard(path, etag)
            raise damaged_error(self._source, name, sha256)
        index.files[key] = Checked.now(path, sha256)

    def _pin(self, index: CacheIndex, commit: str) -> None:
        if not self._source.is_commit:
            index.commits[self._source.revision] = commit
        self._cache.remember(index)

    def _downloaded(self) -> Path:
        client = self._hub.client()
        index = self._cache.index()
        revision = self._pinned(index) or self._source.revision
        commit, names = self._resolved(client, index, revision)
        files = [self._file_info(client, name, commit) for name in names]
        check_sizes(files, self._hub.max_file_bytes)
        self._transfer(client, index, files)
        if not self._source.is_commit:
            self._cache.set_ref(self._source.revision, files[0].commit)
        self._pin(index, files[0].commit)
        return self._path(files[0].commit, names)

    def _resolved(
        self, client: HubClient | PublicHubClient, index: CacheIndex, revision: str
    ) -> tuple[str, tuple[str, ...]]:
        """Return the commit (the revision if unknown) and the names of the required files."""
        patterns = self._source.files
        if len(patterns) == 1 and not self._source.is_folder:
            return revision, patterns  # the request for the file returns the commit
        commit, offered = self._hub.retry_policy.keep_trying(
            lambda: client.list_files(self._source.repo, revision)
        )
        names = tuple(name for name in offered if any(is_match(name, p) for p in patterns))
        missing = [p for p in patterns if not is_pattern(p) and p not in offered]
        if missing or not names:
            raise not_there_error(self._source, ", ".join(missing or patterns), offered)
        index.selections[selection_key(commit, patterns)] = list(names)
        return commit, names

    def _file_info(
        self, client: HubClient | PublicHubClient, name: str, revision: str
    ) -> RemoteFile:
        repo, retry_policy = self._source.repo, self._hub.retry_policy
        try:
            return retry_policy.keep_trying(lambda: client.file_info(repo, name, revision))
        except FileNotThereError:
            pass
        _, offered = retry_policy.keep_trying(lambda: client.list_files(repo, revision))
        raise not_there_error(self._source, name, offered)

    def _transfer(
        self, client: HubClient | PublicHubClient, index: CacheIndex, files: list[RemoteFile]
    ) -> None:
        download = Download(client, self._source.repo, self._cache, self._hub.retry_policy)
        sizes = [file.size for file in files]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        meter = Meter(f"Downloading {self._label}", total, self._progress)
        for file in files:
            meter.finish(download.get(file, meter))
            self._cache.link(file.commit, file.name, file.etag)
            self._check(index, file.commit, file.name, file.etag)
            self._cache.remember(index)
