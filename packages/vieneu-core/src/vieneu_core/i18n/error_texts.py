"""Translation of errors: title and remedy by code, other texts by their templates.

English texts are in `vieneu_core.errors`, so that an error can describe itself even if no
file can be read. Catalogues of other languages have them in the section ``errors``.
"""

from __future__ import annotations

from typing import NamedTuple

from vieneu_core.errors import error_class
from vieneu_core.i18n.catalog import DEFAULT_LANGUAGE, Messages, best_language, catalogue, formatter
from vieneu_core.translatable import Translatable, has_words


class ErrorText(NamedTuple):
    """Title and remedy of an error."""

    title: str
    remedy: str


def error_text(code: str, remedy: str, language: str) -> ErrorText | None:
    """Return title and remedy of an error in a language other than English.

    Args:
        code: The code of the error.
        remedy: The remedy of the error itself; preferred if it differs from that of its class.
        language: A tag or a locale.

    Returns:
        None for English, and for an unknown code.
    """
    messages = Messages(language, f"errors.{code}")
    if messages.language == DEFAULT_LANGUAGE or "title" not in messages:
        return None
    cls = error_class(code)
    is_own = cls is None or remedy != cls.default_remedy
    if is_own or "remedy" not in messages:
        return ErrorText(messages("title"), translated(remedy, language))
    return ErrorText(messages("title"), messages("remedy"))


def translated(text: str, language: str) -> str:
    """Translate one of our texts, and the texts among its values.

    Args:
        text: English: a `Translatable`, or a text without values.
        language: A tag or a locale.

    Returns:
        The text itself for English, and if there is no translation.
    """
    texts = catalogue(best_language(language))
    template = text.template if isinstance(text, Translatable) else str(text)
    found = texts.get(f"texts.{template}")
    if found is None and isinstance(text, Translatable) and not has_words(template):
        found = template
    if found is None:
        return text
    if not isinstance(text, Translatable):
        return found
    values = {
        name: translated(value, language) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return formatter(language).format(found, **values)
