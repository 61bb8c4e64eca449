"""Messages of the server's notebook cells by language: one JSON file for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vieneu_core.i18n import Messages, languages, translated

if TYPE_CHECKING:
    from vieneu_colab_server.exposure import PublicEvent


def cell_messages(language: str) -> Messages:
    """Return the messages of the notebook's cells; in Vietnamese where the language is not known.

    Args:
        language: Of the catalogues beside this file, such as ``vi``.
    """
    wanted = language.strip().lower()
    return Messages(wanted if wanted in languages(__name__) else "vi", "colab", package=__name__)


def event_text(event: PublicEvent, messages: Messages) -> str:
    """Return what a cell prints for an event of the public server."""
    return messages(event.kind, detail=translated(event.detail, messages.language))
