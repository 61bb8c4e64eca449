"""The examples of the documentation work as they are written."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
]
RUNNABLE = re.compile(r"^<!-- run -->\n```(python|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CELL = re.compile(r"^<!-- run in a notebook -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

EXAMPLES = [
    pytest.param(match[1], match[2], id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, match in enumerate(RUNNABLE.finditer(page.read_text("utf-8")), 1)
]
NOTEBOOKS = [
    pytest.param(cells, id=str(page.relative_to(ROOT)))
    for page in PAGES
    if (cells := CELL.findall(page.read_text("utf-8")))
]
TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize(("language", "program"), EXAMPLES)
def test_an_example_runs(language: str, program: str, tmp_path: Path) -> None:
    command = [sys.executable] if language == "python" else ["bash", "-euo", "pipefail"]
    here = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        [*command, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PATH": here},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


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
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )

    client.execute()  # raises where a cell does

    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [output for output in outputs if output.get("name") == "stderr"] == []


def test_the_programs_pass_mypy_strict_against_the_installed_package(tmp_path: Path) -> None:
    programs = [param.values[1] for param in EXAMPLES if param.values[0] == "python"]
    for number, program in enumerate(programs):
        (tmp_path / f"program_{number}.py").write_text(str(program), "utf-8")

    # From a folder of its own: neither our settings of mypy nor our source tree is seen there.
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "."],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if not key.startswith("MYPY")},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )

    assert len(programs) > 10
    assert checked.returncode == 0, checked.stdout + checked.stderr
