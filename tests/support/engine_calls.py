"""Callbacks for calls of an engine that nobody follows."""

from __future__ import annotations


def never() -> bool:
    """Nobody cancels."""
    return False


def quiet(*_: object) -> None:
    """Nobody watches."""
