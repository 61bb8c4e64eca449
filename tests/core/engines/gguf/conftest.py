"""The files of an engine, and a copy of them that a test may damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from checkpoint.folder import ModelFolder, make_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return make_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def copy(folder: ModelFolder, tmp_path: Path) -> ModelFolder:
    shutil.copytree(folder.path, tmp_path / "copy")
    return ModelFolder(tmp_path / "copy")
