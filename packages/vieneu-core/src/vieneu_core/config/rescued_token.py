"""A rotated token that could not be saved in the settings file, beside it or in the state folder.

It belongs to the token that the settings file still holds: whoever reads the settings uses the new
one instead, and whoever next writes them moves it there. Blocking.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from vieneu_core.config.paths import state_dir
from vieneu_core.files import PRIVATE
from vieneu_core.untrusted_json import read_json

_ROOM_BYTES = 8_192
"""More than the longest token needs."""


def reserve_rescue(target: Path, environ: Mapping[str, str]) -> Path | None:
    """Return a file that has room for a token; None where none can be written.

    Args:
        target: The settings file.
        environ: Environment variables, for the state folder.
    """
    for path in _paths(target, environ):
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, b"", os.O_CREAT)
            return path
    return None


def write_rescue(path: Path, old: SecretStr, new: SecretStr) -> None:
    """Write a new token over the reserved room.

    Raises:
        OSError: it cannot be written.
    """
    content = {"after_sha256": _digest(old), "token": new.get_secret_value()}
    _write(path, json.dumps(content).encode())


def find_rescued(target: Path, environ: Mapping[str, str], old: SecretStr) -> SecretStr | None:
    """Return the token that follows the one in the settings file; None where there is none."""
    if not old.get_secret_value():
        return None
    for path in _paths(target, environ):
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = read_json(path, max_bytes=_ROOM_BYTES)
            if hmac.compare_digest(found["after_sha256"], _digest(old)):
                return SecretStr(str(found["token"]))
    return None


def forget_rescued(target: Path, environ: Mapping[str, str]) -> None:
    """Delete the files of a token that was saved meanwhile."""
    for path in _paths(target, environ):
        with suppress(OSError):
            path.unlink()


def _paths(target: Path, environ: Mapping[str, str]) -> tuple[Path, Path]:
    name = hashlib.sha256(os.fsencode(target)).hexdigest()[:16]
    return (
        target.with_name(f".{target.name}.new-token"),
        state_dir(environ) / f"new-token-{name}.json",
    )


def _write(path: Path, content: bytes, more_flags: int = 0) -> None:
    flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | more_flags
    descriptor = os.open(path, flags, PRIVATE)
    with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor
        os.fchmod(descriptor, PRIVATE)
        file.write(content.ljust(_ROOM_BYTES))
        os.fsync(descriptor)


def _digest(token: SecretStr) -> str:
    return hashlib.sha256(token.get_secret_value().encode()).hexdigest()
