"""Display of errors in a notebook: a message, its remedy and its help instead of a traceback.

An unexpected error has a message first too; its traceback follows, for a report.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from vieneu_core.errors import VieneuError
from vieneu_core.i18n import Messages, error_text, translated

P = ParamSpec("P")
T = TypeVar("T")


def short_traceback(call: Callable[P, T]) -> Callable[P, T]:
    """Let IPython show our errors in a few lines instead of a traceback, and others after a few.

    ``_render_traceback_`` is IPython's hook for that (``InteractiveShell.showtraceback``).
    """

    @functools.wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except VieneuError as error:
            lines = error_lines(error, _language(args, kwargs))
            error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]  # looked for by name
            raise
        except Exception as error:
            lines = unexpected_lines(error, _language(args, kwargs))
            shown = functools.partial(_with_traceback, lines, error)
            error._render_traceback_ = shown  # type: ignore[attr-defined]  # looked for by name
            raise

    return called


def unexpected_lines(error: Exception, language: str) -> list[str]:
    """Return what a cell shows of an error without a message of ours, before its traceback."""
    notebook = Messages(language, "notebook")
    what = notebook("unexpected", kind=type(error).__name__)
    return [what, f"   → {notebook('unexpected_next')}"]


def _with_traceback(lines: list[str], error: Exception) -> list[str]:
    return [*lines, "", *"".join(traceback.format_exception(error)).splitlines()]


def error_lines(error: VieneuError, language: str) -> list[str]:
    """Return what a cell shows of an error, in one language from end to end."""
    text = error_text(error.code, error.remedy, language)
    title, remedy = (error.title, error.remedy) if text is None else text
    lines = [f"❌ {title}: {translated(error.detail, language)}", f"   → {remedy}"]
    help_of = Messages(language, "notebook.help")
    if error.code in help_of:
        lines.append(f"   {Messages(language, 'notebook')('see_help', code=error.code)}")
    return lines


def _language(args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    """Return the language of a call: its argument, or that of a relay among its arguments."""
    messages = [each.messages for each in args if hasattr(each, "messages")]
    return str(kwargs.get("language") or (messages[0].language if messages else "vi"))
