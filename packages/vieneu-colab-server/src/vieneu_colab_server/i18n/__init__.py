"""All texts of this package, one JSON file per language.

A file has the language's own name, and a section for each part that shows texts: ``colab`` for the
notebook's cells, ``admin`` and ``speak`` for the pages of the relay, ``shared`` for both of them.
How numbers and durations are written is in the catalogues of the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from vieneu_core.i18n import Messages, best_language, languages, translated
from vieneu_core.i18n.catalog import catalogue

if TYPE_CHECKING:
    from vieneu_colab_server.exposure import PublicEvent

LANGUAGE_VARIABLE = "VIENEU_SERVER_LANGUAGE"
"""Language in which the command names why it ends; English if it is not set."""


def cell_messages(language: str) -> Messages:
    """Return the messages of the notebook's cells, in Vietnamese for an unknown language.

    Args:
        language: Language of a catalogue beside this file, such as ``vi``.
    """
    wanted = language.strip().lower()
    return Messages(wanted if wanted in languages(__name__) else "vi", "colab", package=__name__)


class SectionTexts(TypedDict):
    """The texts of a page in one language."""

    name: str
    """The language's own name."""
    texts: dict[str, str]


def section_texts(page: str) -> dict[str, SectionTexts]:
    """Return the texts of a page in all languages, by their codes.

    They are those of all pages, its own, and the formats of the core.

    Args:
        page: Its section, such as ``admin``; the keys are without it.
    """
    found: dict[str, SectionTexts] = {}
    for language in languages(__name__):
        texts = catalogue(language, __name__)
        formats = _section(catalogue(best_language(language)), "format")
        found[language] = SectionTexts(
            name=texts["name"],
            texts={
                **{f"format.{key}": text for key, text in formats.items()},
                **_section(texts, "shared"),
                **_section(texts, page),
            },
        )
    return found


def _section(texts: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the texts of a section by their keys without it."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): texts[key] for key in texts if key.startswith(prefix)}


def event_text(event: PublicEvent, messages: Messages) -> str:
    """Return the text that a cell prints for an event of the public server."""
    return messages(event.kind, detail=translated(event.detail, messages.language))
