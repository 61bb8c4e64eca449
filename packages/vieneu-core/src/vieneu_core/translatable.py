"""English text that can be translated later: it remembers its template and values."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any, Self

FORMAT = re.compile(r",?(?:\.\d)?[dfg%]?")
"""Of a placeholder: a stranger's template could ask for a gigabyte of blanks."""
MAX_DEPTH = 3
"""Of texts within texts, such as the reason within a message."""
MAX_VALUES = 20


class Translatable(str):
    """A text made by `str.format`, which it equals; `vieneu_core.i18n.translated` translates it.

    Text without values needs no class of its own: it is its own template.

    Args:
        template: English, with placeholders by name.
        values: Of the placeholders. What is neither text nor a number is kept as text.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, str | int | float]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Fill in the values."""
        text = super().__new__(cls, template.format(**values))
        text.template = template
        text.values = {name: _plain(value) for name, value in values.items()}
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Say how it is copied and pickled."""
        return (self.template,), dict(self.values)


def joined(separator: str, texts: Sequence[str]) -> Translatable:
    """Return texts joined by punctuation; each of them stays translatable."""
    names = [f"text_{index}" for index in range(len(texts))]
    template = separator.join(f"{{{name}}}" for name in names)
    return Translatable(template, **dict(zip(names, texts, strict=True)))


def has_words(template: str) -> bool:
    """Whether a template holds anything to translate besides its values."""
    return any(c.isalpha() for literal, *_ in string.Formatter().parse(template) for c in literal)


def parts_of(text: str) -> dict[str, Any] | None:
    """Return template and values of a text for JSON; None where it is its own template."""
    if not isinstance(text, Translatable):
        return None
    values = {
        name: parts_of(value) or str(value) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return {"template": text.template, "values": values}


def from_parts(text: str, parts: object) -> str:
    """Return a text with the template and values that came beside it.

    They may come from a stranger: where they do not give this very text, they are left out.
    """
    made = _made(parts, MAX_DEPTH, longest=len(text))
    return made if made == text else text


def _made(parts: object, depth: int, *, longest: int) -> str:
    """Make a text of parts; empty where they make none of at most so many characters."""
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
                        # One that is longer cannot be a part of the text.
                        if isinstance(value, int | float | dict)
                        or (isinstance(value, str) and len(value) <= longest)
                    },
                )
            except (KeyError, TypeError, ValueError):
                return ""
            return made if len(made) <= longest else ""
    return ""


def _is_plain_template(template: str) -> bool:
    """Whether its placeholders are a few names with the formats that our own templates have.

    Raises:
        ValueError: it is no template.
    """
    fields = [field[1:] for field in string.Formatter().parse(template) if field[1] is not None]
    return len(fields) <= MAX_VALUES and all(
        (name or "").isidentifier()
        and conversion in {None, "r"}
        and FORMAT.fullmatch(spec or "") is not None
        for name, spec, conversion in fields
    )


def shortened(text: str, n_chars: int) -> str:
    """Return at most so many characters; a text that is short enough stays translatable."""
    return text if len(text) <= n_chars else text[:n_chars]


def _plain(value: object) -> str | int | float:
    return value if isinstance(value, str | int | float) else str(value)
