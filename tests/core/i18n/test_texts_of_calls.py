"""The texts of errors are translatable, those that reach an error through functions too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from error_sources import TREES, constants, error_names, named, translations

from vieneu_core.i18n import DEFAULT_LANGUAGE, languages

OTHERS = [language for language in languages() if language != DEFAULT_LANGUAGE]
OF_ERRORS = {"detail", "remedy", "message", "strerror"}
"""Attributes with a text that may be translatable, until it is a part of a formatted one."""
FOR_PROGRAMMERS = {"refuse"}
"""Makers of errors that speak English to the author of a Python program."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = [
    node
    for tree in TREES
    for node in ast.walk(tree)
    if isinstance(node, Function) and node.name not in FOR_PROGRAMMERS
]
CALLS = {id(f): [n for n in ast.walk(f) if isinstance(n, ast.Call)] for f in FUNCTIONS}


def names_in(node: ast.AST) -> set[str]:
    return {named(each) for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute)}


def classes_of_errors() -> set[str]:
    """Return the names by which the sources call classes of errors, those of variables too."""
    errors = error_names()
    found = set(errors)
    for node in (node for tree in TREES for node in ast.walk(tree)):
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as kind) if holds_class(kind, errors):
                found.add(name)
            case ast.AnnAssign(target=target, annotation=kind) if holds_class(kind, errors):
                found.add(named(target))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                kinds = (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
                if all(named(kind) in errors for kind in kinds):
                    found.add(name)
    return found - {"MissingExtraError"}  # whose arguments are names of things


def holds_class(annotation: ast.expr, errors: set[str]) -> bool:
    return any(
        isinstance(node, ast.Subscript) and named(node.value) == "type" and names_in(node) & errors
        for node in ast.walk(annotation)
    )


class ShownTexts:
    """Which arguments of which calls are shown as a text of an error, or as a part of one."""

    def __init__(self) -> None:
        self._classes = classes_of_errors()
        self._parameters: dict[str, list[list[str]]] = {}
        """By the name of a function; several have the same one."""
        for function in FUNCTIONS:
            names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
            names = names[names[:1] in (["self"], ["cls"]) :]
            self._parameters.setdefault(function.name, []).append(names)
        self._shown: set[tuple[str, str]] = set()
        """Parameters of functions that show them."""
        while more := set(self._passed_on()) - self._shown:
            self._shown |= more

    def wholes(self, call: ast.Call) -> list[ast.expr]:
        """Return what a call makes the whole text of an error."""
        # Also of a class that an expression returns: type(error)(…), KINDS[code](…)
        of_class = named(call.func) in self._classes and not is_logging(call)
        if not of_class and not isinstance(call.func, ast.Call | ast.Subscript):
            return []
        return [*call.args[:1], *(each.value for each in call.keywords if each.arg == "remedy")]

    def parts(self, call: ast.Call) -> list[ast.expr]:
        """Return what a call may make a part of the text of an error, or the whole of one."""
        callee = named(call.func)
        if callee == "Translatable":
            return [each.value for each in call.keywords]
        if isinstance(call.func, ast.Attribute) and named(call.func.value) not in {"self", "cls"}:
            return []  # another class may have a method of the same name
        given = [(each.arg or "", each.value) for each in call.keywords]
        for names in self._parameters.get(callee, ()):
            given += zip(names, call.args, strict=False)
        return [value for name, value in given if (callee, name) in self._shown]

    def _passed_on(self) -> Iterator[tuple[str, str]]:
        for function in FUNCTIONS:
            given = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
            for call in CALLS[id(function)]:
                for value in (*self.wholes(call), *self.parts(call)):
                    yield from ((function.name, name) for name in plain_names(value) & given)


def is_logging(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and named(call.func.value) == "_LOGGER"


def plain_names(value: ast.expr) -> set[str]:
    """Return the variables that a value may be, unchanged."""
    match value:
        case ast.Name(id=name):
            return {name}
        case ast.IfExp():
            return plain_names(value.body) | plain_names(value.orelse)
        case ast.BoolOp():
            return set().union(*map(plain_names, value.values))
    return set()


SHOWN = ShownTexts()


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_that_reaches_an_error_through_calls_is_translated(language: str) -> None:
    calls = [call for function in FUNCTIONS for call in CALLS[id(function)]]
    texts = {text for call in calls for part in SHOWN.parts(call) for text in constants(part)}
    assert {text for text in texts if " " in text.strip()} - set(translations(language)) == set()


def test_no_error_is_given_a_text_that_cannot_be_translated() -> None:
    found: list[ast.expr] = []
    for function in FUNCTIONS:
        assigned = assignments(function)
        for call in CALLS[id(function)]:
            wholes = SHOWN.wholes(call)
            before = [
                value
                for whole in wholes
                if isinstance(whole, ast.Name)
                for value in assigned.get(whole.id, ())
            ]
            found += filter(is_formatted, (*wholes, *before))
            parts = SHOWN.parts(call)
            names = {name for part in parts for name in names_in(part)}
            before = [value for name in names for value in assigned.get(name, ())]
            found += filter(loses_words, (*parts, *before))
    assert sorted({ast.unparse(text) for text in found}) == []


def assignments(function: Function) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
    return found


def is_formatted(text: ast.expr) -> bool:
    """Return whether a text is put together, so that its template is lost."""
    return isinstance(text, ast.JoinedStr) or (
        isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add | ast.Mod)
    )


def loses_words(text: ast.expr) -> bool:
    """Return whether words, or a text of an error, cannot be translated in a part of a text."""
    return any(
        (isinstance(each, ast.JoinedStr) and (OF_ERRORS & names_in(each) or has_english(each)))
        or (isinstance(each, ast.Call) and named(each.func) == "str" and OF_ERRORS & names_in(each))
        for each in ast.walk(text)
    )


def has_english(text: ast.JoinedStr) -> bool:
    literals = (str(part.value) for part in text.values if isinstance(part, ast.Constant))
    return any(re.search(r"[a-z]{2} | [a-z]{2}", literal) for literal in literals)
