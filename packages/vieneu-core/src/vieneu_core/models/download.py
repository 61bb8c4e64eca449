"""Resumable download of files, with progress."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vieneu_core.backoff import Backoff
from vieneu_core.errors import ModelDownloadError, ModelLoadError
from vieneu_core.models.cache import RepoCache
from vieneu_core.models.hub_client import Body, HubClient, RemoteFile
from vieneu_core.models.hub_failures import InterruptedTransferError
from vieneu_core.models.public_hub_client import PublicHubClient
from vieneu_core.translatable import Translatable

OnDownload = Callable[[str, int | None, int | None], None]
"""Callback for the current step, the bytes that are here, and the total."""

_REPORT_EVERY_S = 0.25
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_T = TypeVar("_T")


def _no_bytes() -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Retry policy for downloads."""

    timeout_s: float = 20.0
    """Longest time without data, in seconds."""
    backoff: Backoff = Backoff(first_s=1.0, factor=3.0, longest_s=10.0)  # noqa: RUF009 - frozen
    """Pauses before retries; they start again after an attempt that received data."""
    max_tries_in_vain: int = 4
    """Largest number of attempts in a row without data."""
    max_tries: int = 100
    """Largest number of attempts for one file."""
    sleep: Callable[[float], None] = time.sleep

    def keep_trying(self, step: Callable[[], _T], so_far: Callable[[], int] = _no_bytes) -> _T:
        """Call ``step`` until it is not interrupted, and return its result.

        Raises:
            ModelDownloadError: it was interrupted too often without an increase of ``so_far``.
        """
        best, n_tries, n_in_vain = so_far(), 0, 0
        while True:
            try:
                return step()
            except InterruptedTransferError as error:
                n_tries += 1
                n_in_vain += 1
                if so_far() > best:
                    best, n_in_vain = so_far(), 1
                if n_in_vain >= self.max_tries_in_vain or n_tries >= self.max_tries:
                    raise _given_up(error, n_tries, best) from error
            self.sleep(self.backoff.pause_s(n_in_vain))


class Meter:
    """Sums the bytes of several files, and reports them a few times a second."""

    def __init__(self, step: str, total: int | None, progress: OnDownload) -> None:
        self._step, self._total, self._progress = step, total, progress
        self._before = 0
        self._progress_shown_at = float("-inf")

    def show(self, n_bytes: int) -> None:
        """Record the bytes of the current file that are here."""
        now = time.monotonic()
        if now - self._progress_shown_at >= _REPORT_EVERY_S:
            self._progress_shown_at = now
            self._progress(self._step, self._before + n_bytes, self._total)

    def finish(self, n_bytes: int) -> None:
        """Record that the current file is complete."""
        self._before += n_bytes
        self._progress(self._step, self._before, self._total)


class Download:
    """Downloads files of one repository into its cache. Only under the cache's lock."""

    def __init__(
        self,
        client: HubClient | PublicHubClient,
        repo: str,
        cache: RepoCache,
        retry_policy: RetryPolicy,
    ) -> None:
        self._client, self._repo = client, repo
        self._cache, self._retry_policy = cache, retry_policy

    def get(self, file: RemoteFile, meter: Meter) -> int:
        """Download a file's content into the cache, without verification; return its size in bytes.

        An interrupted download is kept, and resumed by a later call.

        Raises:
            ModelLoadError: it cannot be downloaded.
            OSError: the cache cannot be written.
        """
        blob = self._cache.blob(file.etag)
        if blob.is_file():
            return _size(blob)
        blob.parent.mkdir(parents=True, exist_ok=True)
        partial = blob.with_name(f"{blob.name}.part")
        try:
            self._retry_policy.keep_trying(
                lambda: self._go_on(file, partial, meter), lambda: _size(partial)
            )
        except OSError as error:
            if error.errno in _FULL:  # a full disk is worse than a download that starts again
                partial.unlink(missing_ok=True)
            raise
        partial.replace(blob)
        return _size(blob)

    def _go_on(self, file: RemoteFile, partial: Path, meter: Meter) -> None:
        here = _size(partial)
        if file.size is not None and here >= file.size:
            if here == file.size and partial.exists():
                return
            partial.unlink(missing_ok=True)
            here = 0
        meter.show(here)
        _check_space(file, here, partial.parent)
        with self._client.content(self._repo, file, here) as body:
            here = _write(body, partial, meter, at_most=file.size)
        if file.size is not None and here != file.size:
            raise InterruptedTransferError(
                Translatable(
                    "{file} has {here} bytes instead of {size}",
                    file=file.name,
                    here=here,
                    size=file.size,
                )
            )


def named_disk_error(error: OSError, folder: Path) -> ModelLoadError:
    """Return the error for a cache that cannot be written."""
    reason = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return ModelLoadError(
            Translatable(
                "There is no room for the model in {folder}: {reason}. What was there of it"
                " is gone.",
                folder=folder,
                reason=reason,
            ),
            remedy="Free some space, choose a smaller model, or name another cache folder.",
        )
    return ModelLoadError(
        Translatable(
            "The cache folder {folder} cannot be used: {reason}.", folder=folder, reason=reason
        ),
        remedy="Make it a folder that this program may write, or name another in the settings.",
    )


def _write(body: Body, partial: Path, meter: Meter, *, at_most: int | None) -> int:
    """Append a response to the partial file, and return the new size in bytes."""
    here = body.start
    with partial.open("ab" if here else "wb") as file:
        for chunk in body.chunks:
            here += len(chunk)
            if at_most is not None and here > at_most:
                break
            file.write(chunk)
            meter.show(here)
        file.flush()
        os.fsync(file.fileno())  # a renamed file must be complete even after a power cut
    return here


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _check_space(file: RemoteFile, here: int, folder: Path) -> None:
    """Raise if there is not enough disk space, before the disk is full."""
    needed = (file.size or 0) - here
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ModelDownloadError(
            Translatable(
                "There is no room for {file} in {folder}: it needs {needed:.0f} MB more, and"
                " {free:.0f} MB are free.",
                file=file.name,
                folder=folder,
                needed=needed / 1e6,
                free=free / 1e6,
            ),
            remedy="Free some space, choose a smaller model, or name another cache folder.",
        )


def _given_up(error: InterruptedTransferError, n_tries: int, n_bytes: int) -> ModelDownloadError:
    kept = Translatable(" {n_bytes:.1f} MB are kept.", n_bytes=n_bytes / 1e6) if n_bytes else ""
    return ModelDownloadError(
        Translatable(
            "The download failed {n_tries} times: {error}.{kept}",
            n_tries=n_tries,
            error=error.args[0],
            kept=kept,
        )
    )
