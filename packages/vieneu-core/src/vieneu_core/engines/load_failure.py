"""Names for the errors of engines that have none of ours, such as that of a broken package."""

from __future__ import annotations

import logging

from vieneu_core.errors import BackendError, DeviceMemoryError, ModelLoadError, VieneuError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)


def load_failure(error: Exception) -> VieneuError:
    """Return why one of several engines does not load, so that the next one is tried."""
    if isinstance(error, VieneuError):
        return error
    _LOGGER.warning("An engine failed in an unexpected way", exc_info=error)
    return foreign_failure(error, ModelLoadError, with_message=True)


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
