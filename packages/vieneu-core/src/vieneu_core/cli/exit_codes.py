"""How a command ends: exit codes, and one line on stderr where something failed."""

from __future__ import annotations

from enum import IntEnum

from vieneu_core.cli.console import plain
from vieneu_core.cli.words import Language
from vieneu_core.error_words import VIETNAMESE, in_vietnamese
from vieneu_core.errors import (
    AuthenticationError,
    BackendError,
    ConfigurationError,
    RequestError,
    VieneuError,
)
from vieneu_core.router import ErrorReport


class ExitCode(IntEnum):
    """The exit codes of ``vieneu``; also in its help and in docs/cli.md."""

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


COLAB_PAGE = "docs/colab.md"
TOLD_ON_COLAB_PAGE = frozenset(
    {
        *("tunnel_offline", "tunnel_upstream", "tunnel_limit", "tunnel_quota", "host_not_found"),
        *("authentication", "not_vieneu_server", "server_too_old", "server_too_new"),
        *("session_ending", "draining"),
    }
)
"""Codes of errors that this page explains further."""

_CODES = (
    (ConfigurationError, ExitCode.CONFIGURATION),
    (RequestError, ExitCode.REQUEST),
    (AuthenticationError, ExitCode.AUTHENTICATION),
    (BackendError, ExitCode.BACKEND),
)

EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 unexpected, 2 wrong usage, 3 wrong configuration, 4 wrong request "
    "(empty text, unknown voice), 5 no backend could speak, 6 token refused, 130 interrupted, "
    "141 the reader of the output is gone, 143 terminated."
)


def exit_code(error: VieneuError) -> ExitCode:
    """Return the exit code that stands for an error."""
    return next((code for cls, code in _CODES if isinstance(error, cls)), ExitCode.UNEXPECTED)


def title(error_code: str, english: str, language: Language) -> str:
    """Return the short name of an error."""
    if language is Language.VIETNAMESE and error_code in VIETNAMESE:
        return VIETNAMESE[error_code][0]
    return english


def line(error: VieneuError, language: Language) -> str:
    """Describe an error in one line: what failed, and what to do."""
    told = str(error).removesuffix(error.remedy).strip()  # the detail, and causes where it has some
    return _described(error.code, told, error.remedy, language)


def report_line(report: ErrorReport, language: Language) -> str:
    """Describe an error that was reported earlier, in one line."""
    return _described(report.code, report.detail, report.remedy, language)


def _described(code: str, detail: str, remedy: str, language: Language) -> str:
    if code == AuthenticationError.code:
        # A server speaks to whoever writes HTTP, not to who types commands.
        remedy = AuthenticationError.default_remedy
    more = f" ({COLAB_PAGE}#{code})" if code in TOLD_ON_COLAB_PAGE else ""
    words = in_vietnamese(code, remedy) if language is Language.VIETNAMESE else None
    if words is None:
        return plain(f"{detail} {remedy}".strip() + more)
    name, remedy = words
    return plain(f"{name}: {detail} {remedy}".strip() + more)
