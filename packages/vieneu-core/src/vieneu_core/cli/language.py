"""Selection of the command line's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vieneu_core.i18n import best_language, languages

_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order of precedence of setlocale(3)."""


LANGUAGES = f"<{'|'.join(languages())}>"
"""The values of ``--lang`` as help shows them."""


def known_language(text: str) -> str:
    """Return the value of ``--lang``.

    Raises:
        PydanticCustomError: there is no catalogue of this language.
    """
    if text in languages():
        return text
    from vieneu_core.validation import not_one_of  # `vieneu --version` does not need it

    raise not_one_of(*languages())


def choose_language(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the language of ``--lang`` if there is a catalogue of it, else of the locale."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            break
        name, _, value = argument.partition("=")
        if name == "--lang":
            wanted = value or next(iter(arguments[at + 1 :]), "")
            if wanted in languages():
                return wanted
            break
    locale = next((environ[name] for name in _LOCALE_VARIABLES if environ.get(name)), "")
    return best_language(locale)
