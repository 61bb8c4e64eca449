"""The examples of the documentation work as they are written."""

from __future__ import annotations

import ast
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from guard import GUARD_S
from nbclient import NotebookClient
from page_examples import Example, check_types, examples_of, run_example

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
]
CELL = re.compile(r"^<!-- run in a notebook -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

EXAMPLES = [
    pytest.param(example, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, example in enumerate(examples_of(page), 1)
]
NOTEBOOKS = [
    pytest.param(cells, id=str(page.relative_to(ROOT)))
    for page in PAGES
    if (cells := CELL.findall(page.read_text("utf-8")))
]
TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: Example, tmp_path: Path) -> None:
    here = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    run_example(example, Path(sys.executable), tmp_path, {**os.environ, "PATH": here})


def test_every_python_example_is_valid() -> None:
    for page in PAGES:
        for match in ANY_PYTHON.finditer(page.read_text("utf-8")):
            compile(match[1], str(page), "exec", TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("cells", NOTEBOOKS)
def test_the_cells_of_a_page_run_one_after_the_other_in_a_notebook(
    cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=GUARD_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )

    client.execute()  # raises where a cell does

    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [output for output in outputs if output.get("name") == "stderr"] == []


def test_the_programs_pass_mypy_strict(tmp_path: Path) -> None:
    programs = [example for page in PAGES for example in examples_of(page)]

    check_types(programs, Path(sys.executable), tmp_path)
