"""Token file: rejected if others can change it, written atomically."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from pydantic import SecretStr

from vieneu_core.config import whole, write_whole
from vieneu_core.errors import ConfigurationError, VieneuError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
MAX_FILE_BYTES = 16_384
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_MAY_READ = stat.S_IRGRP | stat.S_IROTH


class TokenNotKeptError(VieneuError):
    """A new token could not be written to the token file."""

    code = "token_not_kept"
    title = "The new token cannot be kept"
    default_remedy = (
        "Let the server write its token file and the folder of it; the old token stays."
    )


def read_token_file(path: Path) -> str:
    """Return the token in a file, without surrounding white space.

    A file that others can read is used with a warning, because secrets are often mounted like that.
    A file that
    others can write is refused.

    Raises:
        ConfigurationError: it cannot be read, or others can change it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = whole(file.read(MAX_FILE_BYTES)).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "it is not ASCII text"
        raise ConfigurationError(
            Translatable(
                "The token file {path} cannot be read: {reason}.", path=path, reason=reason
            ),
            remedy="Write the token into it, or start without --token-file to get a new one.",
        ) from err
    if mode & _OTHERS_MAY_WRITE:
        raise ConfigurationError(
            Translatable("Others may change the token file {path}.", path=path),
            remedy=Translatable("Run: chmod 600 {path}", path=path),
        )
    if mode & _OTHERS_MAY_READ:
        _LOGGER.warning("Others may read the token file %s. Run: chmod 600 %s", path, path)
    return text


def write_token_file(path: Path, token: SecretStr) -> None:
    """Write a new token to a file, which only its owner can read from then on.

    A file that cannot be replaced, such as one that is mounted by itself, is written over.

    Raises:
        TokenNotKeptError: it cannot be written; the file is unchanged.
    """
    try:
        write_whole(path, token.get_secret_value() + "\n", max_bytes=MAX_FILE_BYTES)
    except OSError as error:
        raise TokenNotKeptError(
            Translatable(
                "The new token cannot be written to {path}: {error}.",
                path=path,
                error=error.strerror or error,
            )
        ) from error
