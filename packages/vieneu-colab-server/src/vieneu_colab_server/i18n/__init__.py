"""Messages of the server's notebook cells by language: one JSON file for each."""

from vieneu_core.i18n import Messages


def cell_messages(language: str) -> Messages:
    """Return the messages of the notebook's cells; in Vietnamese where the language is not known.

    Args:
        language: ``vi`` or ``en``.
    """
    wanted = language.strip().lower()
    return Messages(wanted if wanted == "en" else "vi", "colab", package=__name__)
