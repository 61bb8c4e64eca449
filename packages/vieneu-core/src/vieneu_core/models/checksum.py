"""Checksums of files: SHA-256, and the ETags of a hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

_BLOCK_BYTES = 1 << 20
_SHA256_DIGITS, _SHA1_DIGITS = 64, 40

OnChecksum = Callable[[int], None]
"""Callback for the number of bytes read so far."""


def sha256_of(path: Path, on_bytes: OnChecksum) -> str:
    """Return the SHA-256 of a file as hexadecimal digits. Blocking.

    Raises:
        OSError: the file cannot be read.
    """
    return _digest(path, hashlib.sha256(), on_bytes)


def has_etag(path: Path, sha256: str, etag: str) -> bool:
    """Return whether a file with this SHA-256 matches an ETag of the hub.

    The ETag of a large file (LFS) is its SHA-256, that of another file Git's checksum; other ETags
    are not compared. https://huggingface.co/docs/huggingface_hub/package_reference/file_download

    Raises:
        OSError: the file cannot be read.
    """
    if len(etag) == _SHA256_DIGITS:
        return etag.lower() == sha256
    if len(etag) == _SHA1_DIGITS:
        return etag.lower() == _git_sha1_of(path)
    return True


def _git_sha1_of(path: Path) -> str:
    """Return Git's checksum of a file: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    return _digest(path, digest, lambda _: None)


def _digest(path: Path, digest: hashlib._Hash, on_bytes: OnChecksum) -> str:
    n_bytes = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            n_bytes += len(block)
            on_bytes(n_bytes)
    return digest.hexdigest()
