"""The tour of the Python API works with the wheel and its one extra, and with nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from distributions import Built, call
from page_examples import Example, check_types, examples_of, run_example
from shared_folders import SharedFolders

TOUR = examples_of(Path(__file__).parents[2] / "docs/python.md")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def python(uv: str, built: Built, shared: SharedFolders) -> Path:
    """Return the Python of an environment that holds ``vieneu-core[espeak]``."""
    (wheel,) = [wheel for wheel in built.wheels if wheel.name.startswith("vieneu_core-")]
    wanted = f"vieneu-core[espeak] @ {wheel.as_uri()}"

    def make(home: Path) -> None:
        call(uv, "venv", "--quiet", "--python", sys.executable, home)
        call(uv, "pip", "install", "--quiet", "--python", home, wanted, cwd=home.parent)

    return shared.made("tour", make) / "bin/python"


@pytest.mark.parametrize("example", TOUR, ids=range(1, len(TOUR) + 1))
def test_a_program_of_the_tour_runs(example: Example, python: Path, tmp_path: Path) -> None:
    run_example(example, python, tmp_path, {"PATH": "/usr/bin:/bin"})


def test_the_tour_passes_mypy_strict_against_the_wheel(python: Path, tmp_path: Path) -> None:
    check_types(TOUR, python, tmp_path)
