"""Names for the errors of engines that have none of ours, such as that of a broken package."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from vieneu_core.errors import (
    BackendError,
    DeviceMemoryError,
    MissingLibraryError,
    ModelDownloadError,
    ModelLoadError,
    VieneuError,
)
from vieneu_core.installation import library_command
from vieneu_core.text.clean import one_line
from vieneu_core.translatable import Translatable, joined

_LOGGER = logging.getLogger(__name__)
MAX_QUOTED_CHARS = 300
"""Longest part of a library's message within one of ours."""


def first_line(error: BaseException) -> str:
    """Return the first line of a library's message that is not empty, else the error's kind."""
    lines = filter(None, map(one_line, str(error).splitlines()))
    return next(lines, type(error).__name__)[:MAX_QUOTED_CHARS]


def unusable_package(package: str, error: Exception, again: str) -> ModelLoadError:
    """Return the error for an installed package that does not load.

    Args:
        package: Its name.
        error: Of its import.
        again: Command that installs it again, which helps unless the system lacks a library.
    """
    command = library_command(str(error))
    kind = MissingLibraryError if command else ModelLoadError
    return kind(
        Translatable(
            "{package} is installed, but it does not load: {error}.",
            package=package,
            error=first_line(error),
        ),
        remedy=Translatable("Install what it needs: {command}", command=command or again),
    )


def load_failure(error: Exception) -> VieneuError:
    """Return why one of several engines does not load, so that the next one is tried."""
    if isinstance(error, VieneuError):
        return error
    _LOGGER.warning("An engine failed in an unexpected way", exc_info=error)
    return foreign_failure(error, ModelLoadError, with_message=True)


def none_loads(failures: Mapping[str, VieneuError]) -> ModelLoadError:
    """Return the error for several engines none of which loads; where one may later, it may too.

    Args:
        failures: Why, by the name of the engine; empty where none is installed.
    """
    may_later = any(isinstance(error, ModelDownloadError) for error in failures.values())
    kind = ModelDownloadError if may_later else ModelLoadError
    reasons = [joined(": ", (name, error.detail)) for name, error in failures.items()]
    return kind(
        Translatable(
            "No engine can be loaded. {failures}",
            failures=joined(" ", reasons) or "None is installed.",
        ),
        remedy="See what is missing: vieneu doctor",
    )


def foreign_failure(
    error: BaseException, unnamed: type[BackendError], *, with_message: bool
) -> BackendError:
    """Return an error of ours for a foreign one.

    Args:
        error: The foreign error.
        unnamed: Class of the result, unless memory ran out.
        with_message: Whether its message is shown, which may contain a path or the spoken text.
    """
    if isinstance(error, MemoryError):
        return DeviceMemoryError("The engine ran out of memory.")
    message = f": {error}" if with_message and str(error) else ""
    return unnamed(
        Translatable(
            "The engine failed with {kind}{message}.", kind=type(error).__name__, message=message
        )
    )
