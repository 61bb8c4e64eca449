"""Validation of arguments: a wrong value raises an error that says what is expected.

Without them a wrong type would surface far from its cause, as an internal ``AttributeError``.
"""

from __future__ import annotations

import inspect
import json
import numbers
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vieneu_core.errors import ConfigurationError, InvalidRequestError, VieneuError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LONGEST_SHOWN = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


def given(value: object) -> str:
    """Describe a value for a message: short plain values as they are written, others by kind."""
    short = isinstance(value, float | bool)
    short |= isinstance(value, str) and len(value) <= _LONGEST_SHOWN
    short |= isinstance(value, int) and value.bit_length() <= _LONGEST_SHOWN
    return f"{value!r} ({type(value).__name__})" if short else kind_of(value)


def kind_of(value: object) -> str:
    """Describe a value without showing it: it may be a secret."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}, not an instance of it"
    if inspect.iscoroutine(value):
        return "a coroutine that was not awaited"
    if inspect.isroutine(value):
        return f"the function {value.__name__}, not its result"
    return f"of type {type(value).__name__}"


def refuse(  # noqa: PLR0913 - most have defaults
    name: str,
    value: object,
    expected: str,
    *,
    error: type[VieneuError] = ConfigurationError,
    remedy: str | None = None,
    secret: bool = False,
) -> VieneuError:
    """Return the error for a wrong argument; the value of a secret one is not shown."""
    if remedy is None and error is ConfigurationError:
        remedy = "Correct this argument in your program."
    found = kind_of(value) if secret else given(value)
    return error(f"{name} is {found}; it must be {expected}.", remedy=remedy)


def expect(  # noqa: PLR0913 - the last two have defaults
    name: str,
    value: object,
    kinds: type | tuple[type, ...],
    expected: str,
    *,
    error: type[VieneuError] = ConfigurationError,
    remedy: str | None = None,
) -> None:
    """Make sure that an argument is an instance of one of these types.

    Raises:
        VieneuError: the argument has another type; ``error`` is the class that is raised.
    """
    if not isinstance(value, kinds) or isinstance(value, type):
        raise refuse(name, value, expected, error=error, remedy=remedy)


def expect_optional(name: str, value: object, kind: type, expected: str) -> None:
    """Make sure that an argument is None or an instance of this type.

    Raises:
        ConfigurationError: the argument has another type.
    """
    if value is not None:
        expect(name, value, kind, f"{expected}, or None")


def items_of(name: str, values: Iterable[object], kind: type[_T], expected: str) -> list[_T]:
    """Return the members of a list, each an instance of this type.

    Raises:
        ConfigurationError: the value is not a list, or a member has another type.
    """
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise refuse(name, values, f"a list; each member must be {expected}")
    items: list[_T] = []
    for number, value in enumerate(values):
        expect(f"{name}[{number}]", value, kind, expected)
        items.append(value)  # type: ignore[arg-type]  # checked above
    return items


def one_of(
    name: str,
    value: object,
    kind: type[_E],
    *,
    error: type[VieneuError] = ConfigurationError,
) -> _E:
    """Return the member of an enumeration that a string names.

    Raises:
        VieneuError: there is no such member; the message lists those that exist.
    """
    if isinstance(value, str):
        try:
            return kind(value)
        except ValueError:
            pass
    known = ", ".join(repr(member.value) for member in kind)
    raise refuse(name, value, f"one of {known}", error=error)


def path_of(name: str, value: object, *, error: type[VieneuError] = InvalidRequestError) -> Path:
    """Return a path that was given as a string or a path object.

    Raises:
        VieneuError: the value is neither, or no file can have that name.
    """
    expect(name, value, (str, os.PathLike), "a path: a str or a pathlib.Path", error=error)
    try:
        path = os.fspath(value)  # type: ignore[call-overload]  # checked above
        usable = isinstance(path, str) and bool(path) and b"\0" not in os.fsencode(path)
    except (TypeError, ValueError):  # raised by ``__fspath__``, or for a lone surrogate
        usable = False
    if not usable:
        raise refuse(name, value, "the path of a file", error=error)
    return Path(path)


def whole_number(name: str, value: object, lowest: int, highest: int) -> int:
    """Return a whole number within these bounds as a Python ``int``.

    Raises:
        ConfigurationError: the value is not a whole number, or is out of bounds.
    """
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        number = int(value)
        if lowest <= number <= highest:
            return number
    raise refuse(name, value, f"a whole number from {lowest} to {highest}")


# --- records -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kind:
    """Values that fields with one annotation may hold."""

    plain: Callable[..., object]
    """The built-in type; converts numbers of other libraries, such as numpy."""
    fits: Callable[[object], bool]
    expected: str


def _is_number(value: object) -> bool:
    return type(value) is float or (isinstance(value, numbers.Real) and not isinstance(value, bool))


def _is_whole(value: object) -> bool:
    return type(value) is int or (
        isinstance(value, numbers.Integral) and not isinstance(value, bool)
    )


def _is_text(value: object) -> bool:
    """Return whether the value is a string that UTF-8 can encode (no lone surrogates)."""
    return isinstance(value, str) and (value.isascii() or not _SURROGATE.search(value))


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


_KINDS = {
    "str": _Kind(str, _is_text, "a string of Unicode characters"),
    "bytes": _Kind(bytes, _is(bytes), "bytes"),
    "bool": _Kind(bool, _is(bool), "True or False"),
    "int": _Kind(int, _is_whole, "a whole number"),
    "float": _Kind(float, _is_number, "a number"),
}
_OR_NONE = " | None"


def check_fields(
    record: DataclassInstance, *, error: type[VieneuError] = ConfigurationError
) -> None:
    """Check the plain fields of a dataclass against their annotations; skip the others.

    A number of another library (numpy's float32, for example) becomes a built-in one.

    Raises:
        VieneuError: a field has another type; ``error`` is the class that is raised.
    """
    for name, kind, optional in _plain_fields(type(record)):
        value = getattr(record, name)
        if optional and value is None:
            continue
        if not kind.fits(value):
            expected = kind.expected + (", or None" if optional else "")
            raise refuse(name, value, expected, error=error)
        if kind.plain in {int, float} and type(value) is not kind.plain:
            object.__setattr__(record, name, _plain_number(name, value, kind, error))


@cache
def _plain_fields(record: type[DataclassInstance]) -> tuple[tuple[str, _Kind, bool], ...]:
    """Return name and kind of each plain field, and whether it may be None."""
    # Annotations are strings: every module here has `from __future__ import annotations`.
    annotated = ((field.name, str(field.type)) for field in fields(record))
    return tuple(
        (name, _KINDS[plain], annotation != plain)
        for name, annotation in annotated
        if (plain := annotation.removesuffix(_OR_NONE)) in _KINDS
    )


def _plain_number(name: str, value: object, kind: _Kind, error: type[VieneuError]) -> object:
    try:
        return kind.plain(value)
    except (OverflowError, ValueError):  # beyond what a float holds; NaN and infinity as an int
        raise refuse(name, value, kind.expected, error=error) from None


def check_not_negative(record: DataclassInstance) -> None:
    """Check the plain fields of a dataclass; numbers must not be negative.

    Raises:
        ConfigurationError: a field has another type, or is negative.
    """
    check_fields(record)
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, int | float) and not value >= 0:
            raise refuse(field.name, value, "0 or more")


def check_json(name: str, value: object) -> None:
    """Make sure that a value is a mapping of plain JSON values.

    Raises:
        ConfigurationError: the value is anything else.
    """
    expected = "a dict of plain JSON values, such as {'threads': 4}"
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise refuse(name, value, expected)
    try:
        json.dumps(dict(value))
    except (TypeError, ValueError, RecursionError) as err:
        raise refuse(name, value, f"{expected} ({err})") from err
