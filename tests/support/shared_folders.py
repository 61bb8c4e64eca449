"""Folders that the processes of pytest-xdist share: each is made once, by the first that asks."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest


@dataclass(frozen=True, slots=True)
class SharedFolders:
    """What takes long to make, and is only read by tests: wheels, environments."""

    root: Path

    @classmethod
    def of_this_run(cls, folders: pytest.TempPathFactory) -> Self:
        """Return those of all processes that run these tests."""
        base = folders.getbasetemp()
        root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
        root.mkdir(exist_ok=True)
        return cls(root)

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a folder, which is made if it is not there; others wait meanwhile.

        It keeps its place, as an environment must. One whose making failed is made anew.
        """
        folder, complete = self.root / name, self.root / f"{name}.complete"
        with (self.root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not complete.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                complete.touch()
        return folder
