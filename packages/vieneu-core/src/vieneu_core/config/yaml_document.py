"""Conversion of YAML text to `Settings`, with error messages that contain no secrets.

The errors of YAML and pydantic quote the text at fault, which may be the
token. So they are never chained: new errors are raised outside of their ``except`` blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from vieneu_core.config.settings import FORMER_SECTIONS, WITH_DETAILS, Settings, without_blanks
from vieneu_core.config.validation_message import Finding, Loc, kind_of
from vieneu_core.errors import SettingsFileError
from vieneu_core.translatable import Translatable

_YAML_PROBLEMS = (
    ("mapping values are not allowed", "a ':' that is out of place", "Put the value in quotes."),
    ("found character '\\t'", "a tab", "Indent with spaces."),
    ("could not find expected ':'", "a key without ': '", "Write key: value."),
    ("found unexpected end of stream", "a quote that is not closed", "Close the quote."),
    ("found undefined alias", "a value that begins with '*'", "Put it in quotes."),
    ("could not determine a constructor", "a value that begins with '!'", "Put it in quotes."),
    ("found character", "a character that must stand in quotes", "Put the value in quotes."),
    ("found unknown escape", "an unknown '\\' in a quoted value", "Write \\\\ for one backslash."),
    ("but found another document", "a second document", "Keep one, without '---' lines."),
    ("expected ',' or", "a list or {…} that is not closed", "Close it."),
    ("expected <block end>", "a wrong indentation", "Align it with the lines above."),
)


_MAX_DEPTH = 50
_MAX_NODES = 5_000
"""Keys and values as they are written: reading each takes 40 µs, and is done more than once."""
_MAX_VALUES = 100_000
"""The same with those that an alias repeats."""
_MAX_NUMBER_CHARS = 1_000
"""Python reads longer ones in hexadecimal, and then writes them nowhere, in no error either."""
_NUMBER = "tag:yaml.org,2002:int"


@dataclass(frozen=True, slots=True)
class Position:
    """A position in the file, counted from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, mark: Any) -> Position:
        """Return the position of one of ruamel's marks, which count from 0."""
        return cls(mark.line + 1, mark.column + 1)


def settings_file_error(
    path: Path, found: str, remedy: str, *, at: Position | None = None, field: str = ""
) -> SettingsFileError:
    """Return the error for a position of a settings file."""
    position: str = ""
    if at is not None:
        position = Translatable(", line {line}, column {column}", line=at.line, column=at.column)
    return SettingsFileError(
        Translatable(
            "{path}{position}{field}: {found}.",
            path=path,
            position=position,
            field=field and f", {field}",
            found=found,
        ),
        remedy=remedy,
    )


@dataclass(frozen=True, slots=True)
class Document:
    """A settings file with valid YAML and a mapping at its root."""

    path: Path
    data: Mapping[str, Any]
    root: Node | None

    @classmethod
    def parse(cls, text: str, path: Path) -> Document:
        """Read YAML 1.2.

        Raises:
            SettingsFileError: the text is not well-formed, or not a mapping.
        """
        data: Any = None
        root: Node | None = None
        failure: SettingsFileError | None = None
        try:
            root = _bounded(YAML(typ="rt")).compose(text)
            if _n_values(root) <= _MAX_VALUES:
                data = _bounded(YAML(typ="safe", pure=True)).load(text)
            else:
                failure = settings_file_error(
                    path, "it has too many values", "Repeat less with '*'."
                )
        except _TooManyNodesError:
            failure = settings_file_error(
                path, "it has too many values", "Remove what is not a setting of VieNeu Relay."
            )
        except (MaxDepthExceededError, RecursionError):
            failure = settings_file_error(
                path, "it is nested far too deeply", "Write lines of the form key: value."
            )
        except YAMLError as err:
            failure = _yaml_failure(err, path)
        except AssertionError:  # raised for a key that is twice in a value tagged !!omap
            failure = settings_file_error(path, "found a duplicate key", "Keep one of them.")
        except ValueError:  # raised by the constructors of numbers and dates
            failure = settings_file_error(
                path, "a number or date that does not exist", "Put it in quotes."
            )
        if failure is None and data is not None and not isinstance(data, dict):
            found = Translatable("found {kind}", kind=kind_of(data))
            failure = settings_file_error(path, found, "Write key: value lines.")
        if failure is not None:
            raise failure
        return cls(path, data or {}, root)

    def settings(self) -> Settings:
        """Check the values.

        Raises:
            SettingsFileError: a value is wrong; the message has the first one's line and field.
        """
        details: list[ErrorDetails] = []
        try:
            return Settings.model_validate(without_blanks(self.data), context=WITH_DETAILS)
        except ValidationError as err:
            details = err.errors(include_url=False, include_context=False)
        raise self._value_failure(details[0])

    def states(self, *keys: str) -> bool:
        """Return whether the file sets this field."""
        value: Any = self.data
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value is not None

    def written_name(self, dotted_name: str) -> str:
        """Return a field's name in this file, whose section may have its former name."""
        section, dot, field = dotted_name.partition(".")
        present = FORMER_SECTIONS.get(section, section)
        formers = (old for old, new in FORMER_SECTIONS.items() if new == present)
        return next(filter(self.states, formers), present) + dot + field

    def position(self, loc: Loc) -> Position | None:
        """Return the position of a value, or of its nearest parent; for an unknown key, its own."""
        node = self.root
        at: Position | None = None
        for part in loc:
            step = _step(node, part)
            if step is None:
                break
            at, node = step
        return at

    def _value_failure(self, detail: ErrorDetails) -> SettingsFileError:
        finding = Finding.of(detail, Settings)
        loc, field = finding.loc, finding.field
        for former, name in FORMER_SECTIONS.items():
            if self.states(former) and loc[:1] == (name,):
                loc, field = (former, *loc[1:]), field.replace(name, former, 1)
        return settings_file_error(
            self.path,
            finding.found,
            Translatable("{remedy} The file was left as it is.", remedy=finding.remedy),
            at=self.position(loc),
            field=field,
        )


class _TooManyNodesError(YAMLError):
    """The text has more than `_MAX_NODES` keys and values."""


class _BoundedComposer(Composer):
    """Stops at the first node that is too many, before the rest is read."""

    _n_nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._n_nodes += 1
        if self._n_nodes > _MAX_NODES:
            raise _TooManyNodesError
        return super().compose_node(parent, index)


def _bounded(yaml: YAML) -> YAML:
    """Bound nesting and number of values: 50 kB of ``[``, or 60 000 keys, would take seconds."""
    yaml.max_depth = _MAX_DEPTH
    yaml.Composer = _BoundedComposer
    return yaml


def _n_values(root: Node | None) -> int:
    """Count the values, those repeated by an alias each time; a few above the limit end it.

    Raises:
        ValueError: one is a number that is far too long.
    """
    found, waiting = 0, [root]
    while waiting and found <= _MAX_VALUES:
        node = waiting.pop()
        found += 1
        _check_number(node)
        if isinstance(node, MappingNode):
            for key, value in node.value:
                _check_number(key)
                waiting.append(value)
        elif isinstance(node, SequenceNode):
            waiting.extend(node.value)
    return found


def _check_number(node: Node | None) -> None:
    if isinstance(node, ScalarNode) and node.tag == _NUMBER and len(node.value) > _MAX_NUMBER_CHARS:
        raise ValueError("a number that is far too long")


def _step(node: Node | None, part: int | str) -> tuple[Position, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                blank = value.start_mark.index == value.end_mark.index
                return Position.of((key if blank else value).start_mark), value
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return Position.of(node.value[part].start_mark), node.value[part]
    return None


def _yaml_failure(err: YAMLError, path: Path) -> SettingsFileError:
    if isinstance(err, DuplicateKeyError):
        twice = Position.of(err.problem_mark)
        return settings_file_error(path, "found a duplicate key", "Keep one of them.", at=twice)
    if isinstance(err, ReaderError):
        return settings_file_error(path, "found a control character", "Remove it.")
    found, remedy = "this is not valid YAML", "Write key: value lines, indented with spaces."
    at: Position | None = None
    if isinstance(err, MarkedYAMLError):
        at = Position.of(err.problem_mark) if err.problem_mark is not None else None
        problem = f"{err.problem} {err.context}"
        for start, words, advice in _YAML_PROBLEMS:
            if start in problem:
                found, remedy = Translatable("found {what}", what=words), advice
                break
    remedy = Translatable("{remedy} The file was left as it is.", remedy=remedy)
    return settings_file_error(path, found, remedy, at=at)
