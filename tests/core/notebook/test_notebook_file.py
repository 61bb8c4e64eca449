"""The file of a notebook: where it cannot be written, nothing else is replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from vieneu_core.errors import InvalidRequestError
from vieneu_core.notebook import NotebookSettings, write_notebook


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="No such file"):
        write_notebook(NotebookSettings(), tmp_path / "gone" / "colab.ipynb")
    taken = tmp_path / "taken.ipynb"
    taken.mkdir()
    with pytest.raises(InvalidRequestError):
        write_notebook(NotebookSettings(), taken)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.ipynb"]


def test_a_device_is_not_replaced_by_a_file_and_a_link_stays(tmp_path: Path) -> None:
    pipe, link, target = tmp_path / "pipe", tmp_path / "link", tmp_path / "target.ipynb"
    os.mkfifo(pipe)
    link.symlink_to(target)
    with pytest.raises(InvalidRequestError, match="no ordinary file"):
        write_notebook(NotebookSettings(), pipe)
    assert pipe.is_fifo()

    for _ in range(2):
        write_notebook(NotebookSettings(), link)
        assert link.is_symlink()
        assert json.loads(target.read_text())["nbformat"] == 4
