"""Names for the errors of engines that have none of ours, such as that of a broken package."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from vieneu_core.errors import (
    BackendError,
    DeviceMemoryError,
    ModelDownloadError,
    ModelLoadError,
    VieneuError,
)
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)


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
    reasons = " ".join(f"{name}: {error.detail}" for name, error in failures.items())
    return kind(
        Translatable(
            "No engine can be loaded. {failures}", failures=reasons or "None is installed."
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
