"""Failures of engines to load, where the next one is tried."""

from __future__ import annotations

import logging

from vieneu_core.errors import DeviceMemoryError, ModelLoadError, VieneuError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)


def load_failure(error: Exception) -> VieneuError:
    """Return the error; one without a name of ours, such as that of a broken package, gets one."""
    if isinstance(error, VieneuError):
        return error
    if isinstance(error, MemoryError):
        return DeviceMemoryError("The engine ran out of memory.")
    _LOGGER.warning("An engine failed in an unexpected way", exc_info=error)
    return ModelLoadError(
        Translatable(
            "The engine failed with {kind}{message}.",
            kind=type(error).__name__,
            message=f": {error}" if str(error) else "",
        )
    )
