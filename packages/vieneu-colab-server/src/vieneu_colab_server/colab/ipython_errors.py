"""Display of errors in a notebook: a message and its remedy instead of a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from vieneu_colab_server.i18n import cell_messages
from vieneu_core.errors import VieneuError
from vieneu_core.i18n import error_text, translated

P = ParamSpec("P")
T = TypeVar("T")


def short_traceback(call: Callable[P, T]) -> Callable[P, T]:
    """Let IPython show our errors in two lines instead of a traceback.

    ``_render_traceback_`` is IPython's hook for that (``InteractiveShell.showtraceback``).
    """

    @functools.wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except VieneuError as error:
            language = str(kwargs.get("language", "vi"))
            text = error_text(error.code, error.remedy, language)
            remedy = error.remedy if text is None else text.remedy
            lines = [
                f"❌ {_title(error, language)}: {translated(error.detail, language)}",
                f"   → {remedy}",
            ]
            if type(error).__module__.startswith("vieneu_colab_server."):
                lines.append(f"   docs/colab.md#{error.code}")
            error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]  # looked for by name
            raise

    return called


def _title(error: VieneuError, language: str) -> str:
    messages = cell_messages(language)
    if error.code in messages:
        return messages(error.code)
    text = error_text(error.code, error.remedy, language)
    return error.title if text is None else text.title
