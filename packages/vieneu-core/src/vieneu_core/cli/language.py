"""Selection of the command line's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vieneu_core.i18n import best_language

_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order of precedence of setlocale(3)."""


def choose_language(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the language of ``--lang``, else of the locale."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            break
        name, _, value = argument.partition("=")
        if name == "--lang":
            return best_language(value or next(iter(arguments[at + 1 :]), ""))
    locale = next((environ[name] for name in _LOCALE_VARIABLES if environ.get(name)), "")
    return best_language(locale)
