"""The tour of the Python API works with the wheel and its one extra, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from distributions import Built
from guard import GUARD_S
from page_examples import Example, check_types, examples_of, run_example

TOUR = examples_of(Path(__file__).parents[2] / "docs/python.md")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def python(uv: str, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment that holds ``vieneu-core[espeak]``."""
    home = tmp_path_factory.mktemp("tour") / "env"
    (wheel,) = [wheel for wheel in built.wheels if wheel.name.startswith("vieneu_core-")]
    subprocess.run(
        [uv, "venv", "--quiet", "--python", sys.executable, home], check=True, timeout=GUARD_S
    )
    wanted = f"vieneu-core[espeak] @ {wheel.as_uri()}"
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", home, wanted],
        cwd=home.parent, check=True, timeout=GUARD_S,
    )  # fmt: skip
    return home / "bin/python"


@pytest.mark.parametrize("example", TOUR, ids=range(1, len(TOUR) + 1))
def test_a_program_of_the_tour_runs(example: Example, python: Path, tmp_path: Path) -> None:
    run_example(example, python, tmp_path, {"PATH": "/usr/bin:/bin"})


def test_the_tour_passes_mypy_strict_against_the_wheel(python: Path, tmp_path: Path) -> None:
    check_types(TOUR, python, tmp_path)
