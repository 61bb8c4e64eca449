"""Translates errors: title and remedy by code.

English texts are in `vieneu_core.errors`, because an error must be able to describe itself where no
file can be read. The catalogues of other languages have them in the section ``errors``.
"""

from __future__ import annotations

from typing import NamedTuple

from vieneu_core.errors import error_class
from vieneu_core.i18n.catalog import DEFAULT_LANGUAGE, Messages


class ErrorText(NamedTuple):
    """What users read of an error besides its detail."""

    title: str
    remedy: str


def error_text(code: str, remedy: str, language: str) -> ErrorText | None:
    """Return title and remedy of an error in a language other than English.

    Args:
        code: The code of the error.
        remedy: The remedy of the error itself; kept where it says more than that of its class.
        language: A tag or a locale.

    Returns:
        None in English, and for a code that this version does not know.
    """
    messages = Messages(language, f"errors.{code}")
    if messages.language == DEFAULT_LANGUAGE or "title" not in messages:
        return None
    cls = error_class(code)
    is_own = cls is None or remedy != cls.default_remedy
    translated = not is_own and "remedy" in messages
    return ErrorText(messages("title"), messages("remedy") if translated else remedy)
