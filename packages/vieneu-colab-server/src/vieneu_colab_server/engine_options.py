"""Options of an engine on the command line of ``vieneu-server``."""

from __future__ import annotations

from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import parse_json


def engine_options(pairs: list[str]) -> dict[str, object]:
    """Parse ``key=value`` pairs; a valid JSON value is decoded, any other is text.

    Raises:
        ConfigurationError: a pair has no ``=``.
    """
    options: dict[str, object] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not (key and mark):
            raise ConfigurationError(
                Translatable("--engine-option {pair!r} is not of the form key=value.", pair=pair),
                remedy="Correct it.",
            )
        try:
            options[key] = parse_json(value)
        except ValueError:
            options[key] = value
    return options
