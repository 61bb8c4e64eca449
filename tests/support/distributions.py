"""What `uv build` makes of this repository."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from guard import GUARD_S

NOT_THE_PROJECT = shutil.ignore_patterns(
    ".git",
    ".tools",
    ".nox",
    ".venv",
    "dist",
    "site",
    "__pycache__",
    "*.egg-info",
    ".*_cache",
    ".coverage*",  # those of other tests come and go meanwhile
)
"""What a copy of this checkout leaves out."""


@dataclass(frozen=True, slots=True)
class Built:
    """The distributions of all packages."""

    wheels: tuple[Path, ...]
    sdists: tuple[Path, ...]


def call(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a program that must succeed."""
    subprocess.run(command, check=True, timeout=GUARD_S, cwd=cwd)
