"""An engine is named in the registry; the code asks for it by that constant."""

from __future__ import annotations

import ast

from error_sources import TREES

from vieneu_core.engines.registry import ENGINES

NAMES = {each.engine for each in ENGINES}


def test_no_condition_names_an_engine_by_a_literal() -> None:
    literals = [
        ast.unparse(node)
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for each in (node.left, *node.comparators)
        if isinstance(each, ast.Constant) and each.value in NAMES
    ]
    assert literals == []
