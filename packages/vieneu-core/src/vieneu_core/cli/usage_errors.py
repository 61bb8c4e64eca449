"""Messages for wrong usage, from the exceptions of typer's command parser.

They are recognized by the name of their class and by their text: typer has its own copy of click.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from vieneu_core.i18n import Messages, translated
from vieneu_core.validation import not_one_of, reason_of

_BY_TEXT = (
    (
        re.compile(r"No such command '(?P<name>.*?)'\.?(?: Did you mean (?P<close>.*)\?)?"),
        "usage_command",
    ),
    (re.compile(r"Missing command\."), "usage_no_command"),
    (re.compile(r"Got unexpected extra arguments? ?(?:\(s\) )?\((?P<extra>.*)\)"), "usage_extra"),
    (re.compile(r"Option '(?P<name>.*?)' requires an argument\."), "usage_no_value"),
    (re.compile(r"Option '(?P<name>.*?)' does not take a value\."), "usage_needless_value"),
)
"""Texts of errors without a class or attributes of their own, and their keys."""
_CHOICES = re.compile(r" is not one of (?P<choices>.*)$")
"""Typer's text for a value that is none of the members of an enumeration."""


def usage_text(error: Any, messages: Messages) -> str:
    """Describe wrong usage; empty for a command that has shown its help instead.

    Args:
        error: An exception with ``format_message``.
        messages: The section ``cli`` of a catalogue.
    """
    describe = _BY_CLASS.get(type(error).__name__, _other)
    return describe(error, messages)


def _no_such_option(error: Any, messages: Messages) -> str:
    text = messages("usage_option", name=error.option_name)
    close = ", ".join(sorted(error.possibilities or ()))
    return _with_close(text, close, messages)


def _with_close(text: str, close: str, messages: Messages) -> str:
    return " ".join((text, messages("usage_close", close=close))) if close else text


def _missing(error: Any, messages: Messages) -> str:
    kind = error.param_type or getattr(error.param, "param_type_name", "")
    key = "usage_no_argument" if kind == "argument" else "usage_no_option"
    return messages(key, name=_name_of(error))


def _bad_value(error: Any, messages: Messages) -> str:
    cause = error.__cause__
    reason = reason_of(cause) if isinstance(cause, ValidationError) else str(error.message)
    if found := _CHOICES.search(reason):
        reason = reason_of(not_one_of(*re.findall(r"'([^']*)'", found["choices"])))
    reason = translated(reason, messages.language).rstrip(".")
    return messages("usage_value", name=_name_of(error), reason=reason)


def _other(error: Any, messages: Messages) -> str:
    text = str(error.format_message()).rstrip()
    for pattern, key in _BY_TEXT:
        if found := pattern.fullmatch(text):
            values = found.groupdict("")
            close = values.pop("close", "")
            said = messages(key, **values)
            return _with_close(said, close, messages)
    return text if not text or text.endswith((".", "?")) else f"{text}."


def _name_of(error: Any) -> str:
    """Return the option or argument of an error, as it is written on the command line."""
    hint = error.param_hint
    if hint is None and error.param is not None:
        hint = error.param.get_error_hint()
    return hint if isinstance(hint, str) else " / ".join(map(repr, hint or ()))


_BY_CLASS: dict[str, Callable[[Any, Messages], str]] = {
    "NoSuchOption": _no_such_option,
    "MissingParameter": _missing,
    "BadParameter": _bad_value,
}
