"""English text that can be translated later: it keeps its template and values."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any, Self

FORMAT = re.compile(r",?(?:\.\d)?[dfg%]?")
"""Allowed formats: a remote template with others could demand a gigabyte of spaces."""
MAX_DEPTH = 10
"""Limit on texts within texts that are sent and received, such as the reason within a message."""
MAX_VALUES = 20


class Translatable(str):
    """Result of `str.format` that `vieneu_core.i18n.translated` can translate.

    A text without values can be a plain `str`: it is its own template.

    Args:
        template: English, with placeholders by name.
        values: Values of the placeholders. Other types than text and numbers become text.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, str | int | float]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Format the template with the values."""
        text = super().__new__(cls, template.format(**values))
        text.template = template
        text.values = {name: _plain(value) for name, value in values.items()}
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Return the arguments for copying and pickling."""
        return (self.template,), dict(self.values)


def joined(separator: str, texts: Sequence[str]) -> Translatable:
    """Return texts joined by a separator; each of them stays translatable."""
    names = [f"text_{index}" for index in range(len(texts))]
    template = separator.join(f"{{{name}}}" for name in names)
    return Translatable(template, **dict(zip(names, texts, strict=True)))


def has_words(template: str) -> bool:
    """Return whether a template contains anything to translate besides its values."""
    return any(c.isalpha() for literal, *_ in string.Formatter().parse(template) for c in literal)


def parts_of(text: str, depth: int = MAX_DEPTH) -> dict[str, Any] | None:
    """Return template and values of a text for JSON; None if it is its own template.

    Args:
        text: The text.
        depth: Texts within it that are deeper become plain: a receiver would refuse all of it.
    """
    if not (depth and isinstance(text, Translatable)):
        return None
    values = {
        name: parts_of(value, depth - 1) or str(value) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return {"template": text.template, "values": values}


def from_parts(text: str, parts: object) -> str:
    """Return a text with the template and values that were received with it.

    They may come from an untrusted server: if they do not result in this text, they are ignored.
    """
    made = _made(parts, MAX_DEPTH, longest=len(text))
    return made if made == text else text


def _made(parts: object, depth: int, *, longest: int) -> str:
    """Format the received parts; empty if that fails or exceeds ``longest`` characters."""
    match parts:
        case {"template": str(template), "values": dict(values)} if (
            depth and len(values) <= MAX_VALUES
        ):
            try:
                if not _is_plain_template(template):
                    return ""
                made = Translatable(
                    template,
                    **{
                        name: _made(value, depth - 1, longest=longest)
                        if isinstance(value, dict)
                        else value
                        for name, value in values.items()
                        # A longer one cannot be a part of the text.
                        if isinstance(value, int | float | dict)
                        or (isinstance(value, str) and len(value) <= longest)
                    },
                )
            except (KeyError, TypeError, ValueError, OverflowError):
                return ""
            return made if len(made) <= longest else ""
    return ""


def _is_plain_template(template: str) -> bool:
    """Return whether a template has only a few placeholders, in the formats that we use.

    Raises:
        ValueError: it is not a template.
    """
    fields = [field[1:] for field in string.Formatter().parse(template) if field[1] is not None]
    return len(fields) <= MAX_VALUES and all(
        (name or "").isidentifier()
        and conversion in {None, "r"}
        and FORMAT.fullmatch(spec or "") is not None
        for name, spec, conversion in fields
    )


def shortened(text: str, n_chars: int) -> str:
    """Return at most this many characters; a text that is short enough stays translatable."""
    return text if len(text) <= n_chars else text[:n_chars]


def _plain(value: object) -> str | int | float:
    return value if isinstance(value, str | int | float) else str(value)
