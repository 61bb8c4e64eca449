"""The page on security claims only what a test shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
RISKS = 10


def rows() -> list[list[str]]:
    lines = PAGE.read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| API" in line]


def named_tests(cell: str) -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/.]+)::(\w+)`", cell)


def defined_in(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_risk_has_a_row_with_a_threat_a_defence_and_a_test() -> None:
    found = rows()

    assert [row[0].split()[0] for row in found] == [f"API{n}" for n in range(1, RISKS + 1)]
    for row in found:
        risk, threat, defence, tests = row
        assert threat, risk
        assert defence, risk
        assert named_tests(tests), risk


def test_the_named_tests_exist() -> None:
    named = [pair for row in rows() for pair in named_tests(row[-1])]

    assert len(named) == sum(row[-1].count("`") for row in rows()) // 2
    assert [pair for pair in named if pair[1] not in defined_in(ROOT / pair[0])] == []
