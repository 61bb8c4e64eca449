"""Messages of the core: one JSON file per language."""

from vieneu_core.i18n.catalog import DEFAULT_LANGUAGE, Messages, best_language, languages
from vieneu_core.i18n.error_texts import ErrorText, error_text, translated

__all__ = [
    "DEFAULT_LANGUAGE",
    "ErrorText",
    "Messages",
    "best_language",
    "error_text",
    "languages",
    "translated",
]
