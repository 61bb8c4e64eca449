"""A PATH of a test's own: what a program finds is what the test has put there."""

from __future__ import annotations

import shutil
from pathlib import Path

TOOLS = ("bash", "cat", "env", "head", "sh", "sleep", "touch")
"""What the scripts of tests use."""


def lone_path(folder: Path) -> str:
    """Return a PATH that leads to a folder and to a few tools, and to no program of the machine."""
    tools = folder / ".tools"
    tools.mkdir(parents=True, exist_ok=True)
    for name in TOOLS:
        program = shutil.which(name)
        assert program is not None, name
        if not (tools / name).is_symlink():
            (tools / name).symlink_to(program)
    return f"{folder}:{tools}"


def put_program(folder: Path, name: str, script: str) -> None:
    """Make a script a program of a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script, "utf-8")
    (folder / name).chmod(0o755)
