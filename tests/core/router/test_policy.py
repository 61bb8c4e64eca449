"""Who is asked, in which order: pure functions."""

from __future__ import annotations

import pytest

from vieneu_core.router.policy import Mode, candidates
from vieneu_core.text.passages import estimated_seconds

ALL = {"local", "remote", "last_resort"}


@pytest.mark.parametrize(
    ("mode", "fallbacks", "present", "expected"),
    [
        (Mode.REMOTE, ("local", "last_resort"), ALL, ("remote", "local", "last_resort")),
        (Mode.LOCAL, ("local", "last_resort"), ALL, ("local", "last_resort")),
        (Mode.LOCAL, ("remote", "last_resort"), ALL, ("local", "remote", "last_resort")),
        (Mode.REMOTE, (), ALL, ("remote",)),
        (Mode.REMOTE, ("local", "last_resort"), {"local"}, ("remote", "local")),
        (Mode.LOCAL, ("nobody", "last_resort"), ALL, ("local", "last_resort")),
    ],
)
def test_the_choice_comes_first_then_the_fallbacks_that_exist(
    mode: Mode, fallbacks: tuple[str, ...], present: set[str], expected: tuple[str, ...]
) -> None:
    assert candidates(mode, fallbacks, present) == expected


def test_the_remote_is_never_a_fallback_unless_it_is_named() -> None:
    assert "remote" not in candidates(Mode.LOCAL, ("local", "last_resort"), ALL)


def test_the_estimate_grows_with_text_and_shrinks_with_speed() -> None:
    one = estimated_seconds(("a" * 120,), 1.0)
    assert one == pytest.approx(10.0)
    assert estimated_seconds(("a" * 60, "a" * 60), 2.0) == pytest.approx(5.0)
