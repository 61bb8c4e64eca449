"""A file with the user's dictionary: read, followed while it changes, and written."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import stat
from os import PathLike
from pathlib import Path
from typing import Self

from vieneu_core.arguments import path_of
from vieneu_core.config.paths import expanded
from vieneu_core.errors import ConfigurationError, InvalidRequestError
from vieneu_core.files import PRIVATE, Signature, check_ordinary, signature_of, write_atomic
from vieneu_core.text.user_dictionary import NO_ENTRIES, UserDictionary
from vieneu_core.translatable import Translatable

MAX_DICTIONARY_BYTES = 512 * 1024
"""Largest file; a larger one is refused as a whole."""
FILE_NAME = "dictionary.txt"
"""Name of a file that is made beside the settings, where they name none."""
_MOST_LOGGED = 10
_LOGGER = logging.getLogger(__name__)


class DictionaryFile:
    """A dictionary in a file. While the file cannot be used, its last good content holds.

    Args:
        path: The file.

    Raises:
        ConfigurationError: it is no path.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path_of("path", path, error=ConfigurationError)
        self.current: UserDictionary = NO_ENTRIES
        """What was read last."""
        self.problem: ConfigurationError | None = None
        """Why the file could not be read when it was last looked at."""
        self._signature: Signature = None
        self._was_read = False

    @classmethod
    def named(cls, path: str | None) -> Self | None:
        """Return the file that the settings name; None where they name none.

        Raises:
            ConfigurationError: the home folder in it is unknown.
        """
        return None if path is None else cls(expanded(path_of("text.dictionary", path)))

    async def refresh(self) -> None:
        """Read the file if it has changed. Blocks a thread, never the event loop."""
        await asyncio.to_thread(self._refresh)

    def _refresh(self) -> None:
        signature = signature_of(self.path)
        if self._was_read and signature == self._signature:
            return
        self._was_read, self._signature = True, signature
        try:
            self.current = UserDictionary.parse(read_dictionary(self.path))
        except ConfigurationError as error:
            self.problem = error
            _LOGGER.warning("%s", error)
            return
        self.problem = None
        for bad in self.current.bad_lines[:_MOST_LOGGED]:
            _LOGGER.warning("%s, line %d is skipped: %s", self.path, bad.line, bad.reason)


def path_of_dictionary(named: str | None, settings_path: Path) -> Path:
    """Return the file of the settings; where they name none, the one that would be made.

    Raises:
        ConfigurationError: the home folder in it is unknown.
    """
    file = DictionaryFile.named(named)
    return settings_path.with_name(FILE_NAME) if file is None else file.path


def read_dictionary(path: Path) -> str:
    """Return the content of a dictionary file. Blocking.

    Raises:
        ConfigurationError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        check_ordinary(path)
        with path.open("rb") as file:
            content = file.read(MAX_DICTIONARY_BYTES + 1)
        if len(content) > MAX_DICTIONARY_BYTES:
            raise _unusable(
                path, Translatable("it is larger than {most} bytes", most=MAX_DICTIONARY_BYTES)
            )
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise _unusable(path, "there is no such file") from error
    except UnicodeDecodeError as error:
        reason = Translatable("byte {start} is not UTF-8", start=error.start + 1)
        raise _unusable(path, reason) from error
    except OSError as error:
        reason = Translatable("it cannot be read ({strerror})", strerror=error.strerror)
        raise _unusable(path, reason) from error


def write_dictionary(path: Path, text: str, *, version: str | None = None) -> None:
    """Replace the content of a dictionary file, or make it. Blocking, atomic.

    A link is followed, and the permissions stay; a new file is private to its owner.

    Args:
        path: The file.
        text: Its new content.
        version: `version_of` the content that was changed; None replaces any.

    Raises:
        InvalidRequestError: the text is too long, or the file has changed since that version.
        ConfigurationError: the file cannot be written, or its content is not a dictionary.
    """
    content = text.encode()
    if len(content) > MAX_DICTIONARY_BYTES:
        raise InvalidRequestError(
            Translatable("The dictionary is larger than {most} bytes.", most=MAX_DICTIONARY_BYTES),
            remedy="Shorten it.",
        )
    try:
        target = path.resolve()
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else PRIVATE
        if version is not None and version != version_of(content_of(target)):
            raise InvalidRequestError(
                "The dictionary has been changed elsewhere meanwhile.",
                remedy="Load it again, and repeat your change.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, content, mode=mode)
    except (OSError, RuntimeError) as error:  # a link to itself is a RuntimeError
        strerror = getattr(error, "strerror", None) or str(error)
        reason = Translatable("it cannot be written ({strerror})", strerror=strerror)
        remedy = "Make its folder writable, and free space on its disk."
        if getattr(error, "errno", None) in {errno.EBUSY, errno.EXDEV}:  # as in a container
            remedy = "Mount the file's folder, not the file alone."
        raise _unusable(path, reason, remedy=remedy) from error


def content_of(path: Path) -> str:
    """Return the content of a dictionary file, of one that does not exist yet "". Blocking.

    Raises:
        ConfigurationError: as `read_dictionary`.
    """
    return read_dictionary(path) if path.exists() else ""


def version_of(text: str) -> str:
    """Return what tells one content of a file from another."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _unusable(
    path: Path,
    reason: str,
    *,
    remedy: str = "Correct the file, or text.dictionary in the settings.",
) -> ConfigurationError:
    return ConfigurationError(
        Translatable("The dictionary {path}: {reason}.", path=path, reason=reason), remedy=remedy
    )
