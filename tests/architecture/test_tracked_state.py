"""State of a backend is changed by the methods of `TrackedBackend` only; others read its parts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROUTER = Path(__file__).parents[2] / "packages/vieneu-core/src/vieneu_core/router"
READERS = sorted(path for path in ROUTER.glob("*.py") if path.stem != "tracked_backend")
PARTS = {"backlog", "breaker", "failures", "session", "speed"}
READING = {
    "late_refusal",
    "longest_wait_s",
    "next_due_in_s",
    "refusal",
    "seconds_for",
    "sounds_in_s",
    "wait_s",
}
"""Methods of the parts that change nothing."""
OWN_PARTS = {"backlog.py": {"self._backlog.speed"}}
"""A part may use another one that it was made with."""


def changes(source: str) -> Iterator[str]:
    """Yield the calls and assignments that may change a part of a tracked backend."""
    tree = ast.parse(source)
    parts = PARTS & {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and is_part(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=name)):
                if is_part(value, parts) and name not in READING:
                    yield ast.unparse(node.func)
            case ast.Attribute(value=value, ctx=ast.Store() | ast.Del()) if is_part(value, parts):
                yield ast.unparse(node)


def is_part(value: ast.expr, variables: set[str]) -> bool:
    """Return whether an expression is a part of a tracked backend, or a variable that holds it."""
    match value:
        case ast.Attribute(attr=name):
            return name in PARTS
        case ast.Name(id=name):
            return name in variables
    return False


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.name)
def test_only_the_tracked_backend_changes_its_parts(path: Path) -> None:
    own = OWN_PARTS.get(path.name, set())

    assert [
        change
        for change in changes(path.read_text("utf-8"))
        if change.rpartition(".")[0] not in own
    ] == []


@pytest.mark.parametrize(
    ("source", "change"),
    [
        ("tracked.breaker.abandoned()", "tracked.breaker.abandoned"),
        ("self._tracked.speed.measured(audio_s=1)", "self._tracked.speed.measured"),
        ("session = tracked.session\nsession.due()", "session.due"),
        ("tracked.failures.longest_chars = 1", "tracked.failures.longest_chars"),
        ("tracked.failures.n_failed_checks += 1", "tracked.failures.n_failed_checks"),
    ],
)
def test_a_change_of_a_part_is_found(source: str, change: str) -> None:
    assert list(changes(source)) == [change]


@pytest.mark.parametrize(
    "source", ["tracked.speed.seconds_for(1.0)", "tracked.breaker.state", "tracked.reset()"]
)
def test_reading_a_part_is_no_change(source: str) -> None:
    assert list(changes(source)) == []
