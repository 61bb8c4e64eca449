"""Check of local model files by their first bytes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from vieneu_core.errors import ModelLoadError
from vieneu_core.files import check_ordinary
from vieneu_core.translatable import Translatable

_MAGIC_BYTES = 512
_LFS = b"version https://git-lfs"
_MARKS = (
    (b"PK\x03\x04", "a ZIP archive, as PyTorch writes it"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x80\x02", "a Python pickle"),
    (b"%PDF", "a PDF"),
)


def checked_path(path: Path) -> Path:
    """Return the path if it is a non-empty folder, or a file that may be a model.

    Raises:
        ModelLoadError: it is missing, unreadable, empty, or a file of another kind.
    """
    try:
        if path.is_dir():
            if not any(path.iterdir()):
                raise ModelLoadError(
                    Translatable("The folder {path} is empty.", path=path),
                    remedy="Name another folder.",
                )
            return path
        start = read_magic(path)
    except OSError as error:
        raise unreadable(path, error) from error
    _refuse_placeholders(path, start)
    return path


def read_magic(path: Path) -> bytes:
    """Read the first bytes of a file.

    Raises:
        OSError: it cannot be read, or is not a regular file (a pipe would block).
    """
    check_ordinary(path)
    with path.open("rb") as file:
        return file.read(_MAGIC_BYTES)


def described(start: bytes) -> str:
    """Describe the kind of a file with these first bytes."""
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page"
    if start.startswith(_LFS):
        return "the placeholder of a file that Git LFS did not fetch"
    for mark, words in _MARKS:
        if start.startswith(mark):
            return words
    if start[8:10] == b'{"':
        return "a safetensors file"
    if text.startswith((b"{", b"[")):
        return "a JSON text"
    return "no model file that is known here"


def unreadable(path: Path, error: OSError) -> ModelLoadError:
    """Return the error for a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        where = (
            ""
            if path.parent.exists()
            else Translatable(" There is no folder {parent} either.", parent=path.parent)
        )
        remedy = "Check the path in the engine's settings."
        return ModelLoadError(
            Translatable("There is no file {path}.{where}", path=path, where=where), remedy=remedy
        )
    owner = (
        Translatable(" (this program runs as user {getuid})", getuid=os.getuid())
        if error.errno == errno.EACCES
        else ""
    )
    return ModelLoadError(
        Translatable(
            "The file {path} cannot be read: {error}{owner}.",
            path=path,
            error=error.strerror,
            owner=owner,
        ),
        remedy="Make it readable for this program, or name another.",
    )


def _refuse_placeholders(path: Path, start: bytes) -> None:
    if not start:
        raise ModelLoadError(
            Translatable("The file {path} is empty.", path=path), remedy="Download it again."
        )
    if start.startswith(_LFS):
        raise ModelLoadError(
            Translatable("The file {path} is {described}.", path=path, described=described(start)),
            remedy="Fetch the content: git lfs pull; or have it downloaded by its hub name.",
        )
    if described(start) == "a web page":
        raise ModelLoadError(
            Translatable("The file {path} is a web page, not a model.", path=path),
            remedy="Download the file itself; on the hub its address has /resolve/, not /blob/.",
        )
