"""The examples of the documentation, run as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from guard import GUARD_S

RUNNABLE = re.compile(
    r"^<!-- run -->\n```(python|bash)\n(.*?)^```$(?:\n\n<!-- prints -->\n```text\n(.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """One program of a page."""

    language: str
    program: str
    printed: str | None
    """What the page says that it prints; None where it says nothing."""


def examples_of(page: Path) -> list[Example]:
    """Return what a page marks as runnable."""
    return [Example(*match.groups()) for match in RUNNABLE.finditer(page.read_text("utf-8"))]


def run_example(example: Example, python: Path, home: Path, environ: Mapping[str, str]) -> None:
    """Run a program in an empty folder of its own, and compare what it prints."""
    command = [python] if example.language == "python" else ["bash", "-euo", "pipefail"]
    done = subprocess.run(
        [*command, "-c", example.program],
        cwd=home,
        env={**environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert example.printed is None or done.stdout == example.printed


def check_types(examples: Sequence[Example], python: Path, folder: Path) -> None:
    """Check the programs in Python with ``mypy --strict``, against what ``python`` has installed.

    From a folder of their own: neither our settings of mypy nor our source tree is seen there.
    """
    programs = [example.program for example in examples if example.language == "python"]
    for number, program in enumerate(programs):
        (folder / f"program_{number}.py").write_text(program, "utf-8")
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file="),
            *("--python-executable", python, "."),
        ],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("MYPY")},
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )

    assert programs
    assert checked.returncode == 0, checked.stdout + checked.stderr
