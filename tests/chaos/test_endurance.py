"""What counts as growth after many requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chaos.endurance import Usage

BEFORE = Usage(
    own_mb=100.0,
    server_mb=110.0,
    workers_mb=90.0,
    own_files=40,
    server_files=30,
    tasks=12,
    threads=9,
    processes=4,
)


def test_what_returned_to_where_it_was_has_not_grown() -> None:
    assert BEFORE.grown_since(BEFORE) == []
    assert replace(BEFORE, own_mb=105.0, server_files=32, tasks=11).grown_since(BEFORE) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"own_mb": 120.0},
        {"server_mb": 130.0},
        {"workers_mb": 100.0},
        {"own_files": 50},
        {"server_files": 50},
        {"tasks": 13},
        {"threads": 10},
        {"processes": 5},
    ],
)
def test_what_did_not_return_is_named(changes: dict[str, Any]) -> None:
    assert replace(BEFORE, **changes).grown_since(BEFORE) == list(changes)
