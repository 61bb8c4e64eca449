"""Description of an invalid setting, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from vieneu_core.credentials import TOKEN_ERROR, URL_ERROR, WYOMING_URL_ERROR
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of

Loc = tuple[int | str, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,29}")
"""A key that is short and simple enough to be no secret."""
_LONGEST_SHOWN = 30
_NEVER_SHOWN = {"auth_token", "endpoint_url", "options", "url"}
_WITH_REASON = {URL_ERROR, WYOMING_URL_ERROR, TOKEN_ERROR, "conflict", "order", "former_name"}
"""Types of errors whose text says what is wrong, and never quotes the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One invalid value."""

    loc: Loc
    """Location, from the root of the settings."""
    field: str
    """Location as a dotted name; for an unknown key, the section that contains it."""
    found: str
    """Description of the fault, to be followed by a full stop."""
    remedy: str
    """Remedy, as a sentence."""

    @classmethod
    def of(cls, detail: ErrorDetails, root: type[BaseModel]) -> Self:
        """Describe one of pydantic's errors."""
        loc = tuple(part for part in detail["loc"] if part != "[key]")
        if detail["type"] in {"extra_forbidden", "invalid_key"}:
            found, remedy = _unknown_key(loc, root)
            return cls(loc=loc, field=_field_name(loc[:-1]), found=found, remedy=remedy)
        if detail["type"] == "conflict":  # of several fields: the error names one of them
            loc = (*loc, detail["ctx"]["field"])
        twice = detail["type"] == "former_name"
        remedy = (
            "Keep one of them."
            if twice
            else Translatable("Write {expected}.", expected=_expected(loc, root))
        )
        return cls(loc=loc, field=_field_name(loc), found=_found(detail, loc), remedy=remedy)


def _unknown_key(loc: Loc, root: type[BaseModel]) -> tuple[str, str]:
    known = sorted(_model_at(loc[:-1], root).model_fields)
    key = str(loc[-1])
    shown = repr(key) if _PLAIN_KEY.fullmatch(key) else "a key"
    close = get_close_matches(key.lower(), known, n=1)
    meant = (
        Translatable("Did you mean {close!r}?", close=close[0])
        if close
        else Translatable("Known here: {known}.", known=", ".join(known))
    )
    return Translatable("found {shown}, which is not a setting", shown=shown), meant


def _model_at(loc: Loc, root: type[BaseModel]) -> type[BaseModel]:
    model = root
    for part in loc:
        field = model.model_fields.get(str(part))
        if field is not None and isinstance(field.annotation, type):
            model = field.annotation
    return model


def _expected(loc: Loc, root: type[BaseModel]) -> str:
    model: Any = root
    expected = "the names of its fields, with their values"
    for part in loc:
        field = getattr(model, "model_fields", {}).get(str(part))
        if field is None:
            break
        expected, model = field.description or expected, field.annotation
    return expected


def _field_name(loc: Loc) -> str:
    name = ""
    for part in loc:
        if isinstance(part, int):
            name += f"[{part}]"
        elif not _PLAIN_KEY.fullmatch(part):
            break
        else:
            name += f".{part}" if name else part
    return name


def _found(detail: ErrorDetails, loc: Loc) -> str:
    if detail["type"] in _WITH_REASON:
        return reason_of(detail)
    value = detail["input"]
    if (
        not loc
        or _NEVER_SHOWN.intersection(map(str, loc))
        or not isinstance(value, str | int | float)
    ):
        return Translatable("found {kind}", kind=kind_of(value))
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return Translatable(
        "found {text}", text=text if len(text) <= _LONGEST_SHOWN else kind_of(value)
    )


def kind_of(value: object) -> str:
    """Describe a value of a YAML file without showing it."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text" if value else "an empty text"
    if isinstance(value, int | float):
        return "a number without quotes"
    if isinstance(value, Mapping):
        return "key: value lines"
    return "a list" if isinstance(value, Sequence) else "a date or another YAML type"
