"""Exit codes of ``vieneu``."""

from __future__ import annotations

from enum import IntEnum

from vieneu_core.errors import (
    AdminTokenRequiredError,
    AuthenticationError,
    BackendError,
    ConfigurationError,
    RequestError,
    VieneuError,
)


class ExitCode(IntEnum):
    """Exit codes of ``vieneu``; also listed in its help and in docs/cli.md."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    CONFIGURATION = 3
    REQUEST = 4
    BACKEND = 5
    AUTHENTICATION = 6
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


_CODES = (
    (ConfigurationError, ExitCode.CONFIGURATION),
    (RequestError, ExitCode.REQUEST),
    (AuthenticationError, ExitCode.AUTHENTICATION),
    (AdminTokenRequiredError, ExitCode.AUTHENTICATION),
    (BackendError, ExitCode.BACKEND),
)


def exit_code(error: VieneuError) -> ExitCode:
    """Return the exit code of an error."""
    return next((code for cls, code in _CODES if isinstance(error, cls)), ExitCode.UNEXPECTED)
