"""Messages for errors: what failed, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vieneu_core.errors import (
    AllBackendsFailedError,
    AuthenticationError,
    BackendError,
    VieneuError,
)
from vieneu_core.i18n import error_text, translated

if TYPE_CHECKING:  # the router takes long to import, and `vieneu --version` does not need it
    from vieneu_core.router import ErrorReport

COLAB_PAGE = "docs/colab.md"
EXPLAINED_ON_COLAB_PAGE = frozenset(
    {
        *("tunnel_offline", "tunnel_upstream", "tunnel_limit", "tunnel_quota", "host_not_found"),
        *("authentication", "not_vieneu_server", "server_too_old", "server_too_new"),
        *("session_ending", "draining"),
    }
)
"""Codes of errors that docs/colab.md explains further."""


def plain(text: object) -> str:
    """Return text without terminal control characters: it may come from a server."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def error_title(code: str, english: str, language: str) -> str:
    """Return the short name of an error, in English if there is no translation."""
    text = error_text(code, "", language)
    return english if text is None else text.title


def error_line(error: VieneuError, language: str) -> str:
    """Describe an error in one line: what failed, and what to do."""
    causes = error.causes if isinstance(error, AllBackendsFailedError) else ()
    return _line(error.code, error.detail, error.remedy, language, causes)


def report_line(report: ErrorReport, language: str) -> str:
    """Describe an error that was reported earlier in one line."""
    return _line(report.code, report.detail, report.remedy, language)


def _line(
    code: str, detail: str, remedy: str, language: str, causes: Sequence[BackendError] = ()
) -> str:
    if code == AuthenticationError.code:
        # The server's remedy is for authors of HTTP requests, not for users of the command line.
        remedy = AuthenticationError.default_remedy
    link = f" ({COLAB_PAGE}#{code})" if code in EXPLAINED_ON_COLAB_PAGE else ""
    text = error_text(code, remedy, language)
    said = [translated(detail, language)]
    if text is not None:
        remedy = text.remedy
        if said[0] is detail:  # without a translation it needs its title
            said.insert(0, f"{text.title}:")
    if causes:
        each = (f"{c.backend or 'backend'}: {_reason(c, language)}" for c in causes)
        said.append("; ".join(each) + ".")
    return plain(" ".join((*said, remedy)).strip() + link)


def _reason(cause: BackendError, language: str) -> str:
    return translated(cause.detail, language).rstrip(".")
