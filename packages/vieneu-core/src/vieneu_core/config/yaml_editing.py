"""Change of single values in a YAML text, which keeps comments, quotes, blanks and order.

Single values are replaced in the text itself, at the position from ruamel.yaml. What cannot be
changed that way (values in braces, lists) is left to ruamel.yaml's round trip. Either way the
result is parsed again, and used only if it has exactly the intended values.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

Scalar = str | bool | int | float
Value = Scalar | Sequence[str]
Changes = Mapping[str, Value]
"""New values by dotted field name, such as ``colab.enabled``."""

HEADER = "# Settings of VieNeu Relay. It holds the token of the server: keep it to yourself.\n"

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
_NOT_TEXT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


class UneditableError(ValueError):
    """The layout of the text does not allow changing this one value alone."""


def edited(text: str, changes: Changes) -> str:
    """Return the text with these values replaced.

    Raises:
        UneditableError: it is impossible without changing something else.
    """
    if not text.strip():
        text = HEADER
    for name, value in changes.items():
        meant = _data(text)
        _set(meant, name, value)
        if meant != _data(text):
            spliced = _splice(text, name.split("."), value)
            text = spliced if _says(spliced, meant) else _round_trip(text, name, value)
            if not _says(text, meant):
                raise UneditableError(name)
    return text


def _data(text: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(text) or {}


def _says(text: str, meant: dict[str, Any]) -> bool:
    try:
        return _data(text) == meant
    except YAMLError:
        return False


def _set(data: Any, name: str, value: Value) -> None:
    *sections, key = name.split(".")
    for section in sections:
        if not isinstance(data.get(section), dict):
            data[section] = {}
        data = data[section]
    data[key] = value if isinstance(value, str | bool | int | float) else list(value)


def _round_trip(text: str, name: str, value: Value) -> str:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    data = yaml.load(text)
    _set(data, name, DoubleQuotedScalarString(value) if isinstance(value, str) else value)
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _splice(text: str, keys: list[str], value: Value) -> str:
    """Replace one value; if that is impossible, the result has other values."""
    if not isinstance(value, str | bool | int | float):
        return ""
    root = YAML(typ="rt").compose(text)
    missing, node = list(keys), root
    parent: Node | None = None
    while missing and isinstance(node, MappingNode):
        parent = node
        child = next((v for k, v in node.value if k.value == missing[0]), None)
        if child is None:
            break
        missing.pop(0)
        node = child
    if not missing and isinstance(node, ScalarNode):
        return _replace(text, node, value)
    if root is None or parent is root:
        return _append(text, missing, value)
    if isinstance(parent, MappingNode) and len(missing) == 1:
        return _insert(text, parent, missing[0], value)
    return ""


def _replace(text: str, node: ScalarNode, value: Scalar) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    if start == end or node.style in {"|", ">"}:
        return ""
    return text[:start] + _written(value, node.style) + text[end:]


def _append(text: str, keys: list[str], value: Scalar) -> str:
    newline = _newline(text)
    lines = [f"{'  ' * depth}{key}:" for depth, key in enumerate(keys)]
    body = newline.join(lines) + f" {_written(value)}{newline}"
    return text + ("" if text.endswith("\n") else newline) + body


def _insert(text: str, parent: MappingNode, key: str, value: Scalar) -> str:
    """Add a key after the last one of its section, or before the first if that one is long."""
    if parent.flow_style or not parent.value:
        return ""
    newline = _newline(text)
    column = parent.value[0][0].start_mark.column
    line = f"{key}: {_written(value)}"
    last = parent.value[-1][1]
    if isinstance(last, ScalarNode) and last.style not in {"|", ">"} and last.value:
        at = text.find("\n", last.end_mark.index)
        if at < 0:
            return f"{text}{newline}{' ' * column}{line}{newline}"
        return f"{text[: at + 1]}{' ' * column}{line}{newline}{text[at + 1 :]}"
    at = parent.value[0][0].start_mark.index
    return f"{text[:at]}{line}{newline}{' ' * column}{text[at:]}"


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _written(value: Scalar, style: str | None = None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
