"""Messages of the notebook's cells: one JSON file per language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vieneu_core.i18n import Messages, languages, translated

if TYPE_CHECKING:
    from vieneu_colab_server.exposure import PublicEvent


def cell_messages(language: str) -> Messages:
    """Return the messages of the notebook's cells, in Vietnamese for an unknown language.

    Args:
        language: Language of a catalogue beside this file, such as ``vi``.
    """
    wanted = language.strip().lower()
    return Messages(wanted if wanted in languages(__name__) else "vi", "colab", package=__name__)


def event_text(event: PublicEvent, messages: Messages) -> str:
    """Return the text that a cell prints for an event of the public server."""
    return messages(event.kind, detail=translated(event.detail, messages.language))
