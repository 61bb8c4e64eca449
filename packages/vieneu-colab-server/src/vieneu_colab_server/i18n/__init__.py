"""All texts of this package, one JSON file per language.

A file has the language's own name, and a section for each part that shows texts: ``colab`` for the
notebook's cells, ``admin`` and ``speak`` for the pages of the relay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from vieneu_core.i18n import Messages, languages, translated
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
    """A section in one language."""

    name: str
    """The language's own name."""
    texts: dict[str, str]


def section_texts(section: str) -> dict[str, SectionTexts]:
    """Return a section in all languages, by their codes.

    Args:
        section: Such as ``admin``; the keys are without it.
    """
    prefix = f"{section}."
    found: dict[str, SectionTexts] = {}
    for language in languages(__name__):
        texts = catalogue(language, __name__)
        own = {key.removeprefix(prefix): texts[key] for key in texts if key.startswith(prefix)}
        found[language] = SectionTexts(name=texts["name"], texts=own)
    return found


def event_text(event: PublicEvent, messages: Messages) -> str:
    """Return the text that a cell prints for an event of the public server."""
    return messages(event.kind, detail=translated(event.detail, messages.language))
