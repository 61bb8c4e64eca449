"""The sources of all that raises errors, as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import vieneu_colab_server
import vieneu_core
from vieneu_core.errors import VieneuError
from vieneu_core.i18n.catalog import catalogue

ROOT = Path(__file__).parents[2]
FOLDERS = [
    *(Path(str(package.__file__)).parent for package in (vieneu_core, vieneu_colab_server)),
    ROOT / "custom_components",
]
SOURCES = [path for folder in FOLDERS for path in folder.rglob("*.py")]
"""All that raises errors of the core, where they are shown in the language of the reader."""
TREES = [ast.parse(path.read_text("utf-8")) for path in SOURCES]


def named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def error_names() -> set[str]:
    """Return the names of all classes of errors, by what they are derived from."""
    bases: dict[str, set[str]] = {}
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(map(named, node.bases))
    found = {VieneuError.__name__}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def calls() -> Iterator[ast.Call]:
    return (node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call))


def constants(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an argument may be, where they are written there."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.IfExp():
            yield from constants(node.body)
            yield from constants(node.orelse)
        case ast.BoolOp():
            for value in node.values:
                yield from constants(value)
        case ast.Call(func=ast.Name(id="Translatable")):
            yield from constants(node.args[0])


def translations(language: str) -> dict[str, str]:
    texts = catalogue(language).items()
    return {key.removeprefix("texts."): text for key, text in texts if key.startswith("texts.")}
