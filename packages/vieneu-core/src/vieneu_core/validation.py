"""Reasons why a value is invalid, as texts that can be translated and contain no value.

They complete a sentence such as "session_hours: it must be above 0.".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from vieneu_core.translatable import Translatable, joined

_NUMBER, _WHOLE, _TEXT = "it must be a number", "it must be a whole number", "it must be text"
_FLAG, _LIST, _OBJECT = "it must be true or false", "it must be a list", "it must be an object"

_BY_TYPE = {
    "missing": "it is missing",
    "extra_forbidden": "it is not known",
    "less_than": "it must be below {lt}",
    "less_than_equal": "it must be {le} or less",
    "greater_than": "it must be above {gt}",
    "greater_than_equal": "it must be {ge} or more",
    "finite_number": _NUMBER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "int_parsing": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "bool_parsing": _FLAG,
    "bool_type": _FLAG,
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_too_short": "it must have at least {min_length} characters",
    "string_too_long": "it must have at most {max_length} characters",
    "string_pattern_mismatch": "it has not the right form",
    "url_parsing": "it cannot be read as a URL",
    "too_short": "it must have at least {min_length} entries",
    "too_long": "it must have at most {max_length} entries",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "path_type": "it must be a path",
    "json_invalid": "it is not JSON",
    "json_type": "it is not JSON",
}
"""By pydantic's types of errors, with placeholders of their context."""
_OF_CHOICES = {"enum", "literal_error"}
_ONE_OF = "it must be one of {choices}"
TEMPLATES = (*_BY_TYPE.values(), _ONE_OF)
"""All reasons for pydantic's own types of errors."""


def invalid(kind: str, template: str, **values: object) -> PydanticCustomError:
    """Return the error that a validator raises.

    Args:
        kind: Type of the error.
        template: English, with placeholders by name; it completes a sentence.
        values: Values of the placeholders.
    """
    return PydanticCustomError(kind, "{reason}", {"reason": Translatable(template, **values)})


def conflict(field: str, template: str, **values: object) -> PydanticCustomError:
    """Return the error that a validator of several fields raises, named by one of them.

    Args:
        field: The field to name; `field_of` returns it.
        template: As of `invalid`.
        values: As of `invalid`.
    """
    reason = Translatable(template, **values)
    return PydanticCustomError("conflict", "{field}: {reason}", {"field": field, "reason": reason})


def field_of(details: ErrorDetails) -> str:
    """Return the dotted name of the field of one of pydantic's failures; empty if it has none."""
    named = details.get("ctx", {}).get("field", "")
    return ".".join(map(str, details["loc"])) or str(named)


def not_one_of(*choices: str) -> PydanticCustomError:
    """Return the error of a validator for a value that is none of these choices."""
    return invalid("choice", _ONE_OF, choices=", ".join(choices))


def reason_of(error: ValueError | ErrorDetails) -> str:
    """Return the reason of a failed validation, to be followed by a full stop.

    Args:
        error: An exception, of which the first failure counts, or one of pydantic's failures,
            with its context.
    """
    if isinstance(error, ValidationError):
        return reason_of(error.errors(include_url=False)[0])
    if isinstance(error, PydanticCustomError):
        return _reason_in(error.context or {}) or str(error)
    if isinstance(error, ValueError):
        first = error.args[0] if error.args else ""
        return first if isinstance(first, str) else str(error)
    return _reason_of_details(error)


def reasons_of(error: ValidationError) -> str:
    """Return all failures of a validation, each with its field, separated by semicolons."""
    return joined(
        "; ",
        [
            Translatable("{field}: {reason}", field=field_of(each), reason=reason_of(each))
            for each in error.errors(include_input=False, include_url=False)
        ],
    )


def _reason_of_details(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if reason := _reason_in(context):
        return reason
    if isinstance(cause := context.get("error"), ValueError):
        return reason_of(cause)
    if kind in _OF_CHOICES:
        choices = re.findall(r"'([^']*)'", str(context.get("expected")))
        return Translatable(_ONE_OF, choices=", ".join(choices))
    template = _BY_TYPE.get(kind)
    return details["msg"] if template is None else Translatable(template, **_plain(context))


def _reason_in(context: Mapping[str, Any]) -> str:
    reason = context.get("reason")
    return reason if isinstance(reason, str) else ""


def _plain(context: Mapping[str, Any]) -> dict[str, object]:
    """Return the values of a context; a whole number that is a float loses its fraction."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in context.items()
    }
