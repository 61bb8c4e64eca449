"""An error that nobody foresaw, in a cell that runs before our packages are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from child_process import without_coverage
from guard import GUARD_S
from notebook_cells import SMALL, code_of

from vieneu_core.i18n import Messages
from vieneu_core.notebook import NotebookSettings, render_notebook

IPYTHON = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor")

def of_colab(shell, kind, error, trace, tb_offset=None):
    print("Colab's own handler")
    return shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

shell.set_custom_exc((ImportError,), of_colab)
for cell in json.load(sys.stdin):
    shell.run_cell(cell)
    print("=" * 20)
"""
"""Runs cells as Colab's kernel does, and prints what each shows."""
BEFORE = {"access": "# Not in variables", "server": "if ctypes.util.find_library"}
"""Where each of these cells is broken."""


def shown(folder: Path, *cells: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", IPYTHON],
        input=json.dumps(cells),
        capture_output=True,
        check=True,
        text=True,
        timeout=GUARD_S,
        cwd=folder,
        env=without_coverage({"HOME": str(folder), "PATH": "", "IPYTHONDIR": str(folder)}),
    )
    return done.stdout.split("=" * 20 + "\n")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("cell", BEFORE)
def test_the_reader_is_told_first_and_the_traceback_follows(
    tmp_path: Path, cell: str, language: str
) -> None:
    messages = Messages(language, "notebook")
    source = code_of(
        render_notebook(NotebookSettings(language=language, tunnel="cloudflared", source=SMALL))
    )[cell]
    broken, rest = source.split(BEFORE[cell], 1)
    failing = f"{broken}\ndef fails():\n    return 1 / 0\n\nfails()\n{BEFORE[cell]}{rest}"

    first, own, _ = shown(tmp_path, failing, "'text' + 1")

    lines = first.strip().splitlines()
    assert lines[0] == messages("unexpected", kind="ZeroDivisionError")
    assert lines[1] == f"   → {messages('unexpected_next')}"
    assert "Traceback" in first
    assert "in fails()" in first
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "TypeError" in own
    assert messages("unexpected", kind="TypeError") not in own, "a cell of the reader's own"


def test_an_error_with_a_message_keeps_it(tmp_path: Path) -> None:
    source = code_of(render_notebook(NotebookSettings(language="vi", source=SMALL)))["server"]
    before = source.split(BEFORE["server"])[0]

    first, _ = shown(tmp_path, f"{before}\nraise NotebookError('cell_first', 'Một.', 'Hai.')")

    assert first.splitlines()[:2] == ["Một.", "   → Hai."]
    assert "Traceback" not in first


def test_a_cell_that_succeeds_leaves_nothing_behind(tmp_path: Path) -> None:
    made = render_notebook(
        NotebookSettings(language="vi", tunnel="cloudflared", source=SMALL, token="t" * 40)
    )

    ready, own, _ = shown(tmp_path, code_of(made)["access"], "1 / 0")

    assert ready.strip().endswith(Messages("vi", "notebook")("secrets_ready"))
    assert "ngoài dự kiến" not in own
    assert "ZeroDivisionError" in own


@pytest.mark.parametrize("end", ["", "1 / 0", "raise KeyboardInterrupt", "raise SystemExit"])
def test_the_handler_of_colab_is_back_however_the_cell_ends(tmp_path: Path, end: str) -> None:
    source = code_of(render_notebook(NotebookSettings(language="vi", source=SMALL)))["server"]
    before = source.split(BEFORE["server"])[0]

    _, own, fails, _ = shown(tmp_path, f"{before}\n{end}", "1 / 0", "import nothing_like_it")

    assert "ngoài dự kiến" not in own + fails
    assert fails.startswith("Colab's own handler")
