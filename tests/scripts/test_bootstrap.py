"""What the scripts need before anything is installed: a Python, uv, and a folder to put it in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from child_process import WITHOUT_ROOTS_RIGHTS, child
from guard import GUARD_S

SCRIPTS = Path(__file__).parents[2] / "scripts"
PIP_THAT_WAITS = """#!/bin/sh
case "$*" in
*" install "*) echo fetching >&2; trap 'exit 1' INT; while :; do sleep 0.1; done ;;
*sys.executable*) echo "$0" ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts in a folder in which nothing was set up."""
    folder = tmp_path / "clone"
    shutil.copytree(SCRIPTS, folder / "scripts")
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A Python whose pip fetches for ever, as over a slow line."""
    program = tmp_path / "python"
    program.write_text(PIP_THAT_WAITS)
    program.chmod(0o755)
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHON": str(program)}


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("script", ["speak", "relay", "test"])
def test_ctrl_c_while_uv_is_fetched_ends_it_without_blaming_pip(
    clone: Path, environ: dict[str, str], script: str, *, linked: bool
) -> None:
    program = clone / "scripts" / script
    if linked:  # a link in a folder of PATH
        program = clone.parent / script
        program.symlink_to(clone / "scripts" / script)
    with child(
        ["bash", program, "Xin chào."],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        text=True,
        process_group=0,
    ) as process:
        assert process.stderr is not None
        reported = [process.stderr.readline(), process.stderr.readline()]
        assert reported[-1] == "fetching\n"
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that belong to it
        _, errors = process.communicate(timeout=GUARD_S)
    assert process.returncode in {130, -signal.SIGINT}
    assert "could not get uv" not in errors


@pytest.mark.parametrize("script", ["speak", "relay"])
def test_a_clone_that_may_not_be_written_is_named(
    clone: Path, environ: dict[str, str], script: str
) -> None:
    clone.chmod(0o555)
    done = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_ROOTS_RIGHTS),
            *(shutil.which("bash") or "bash", clone / "scripts" / script, "Xin chào."),
        ],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )
    assert done.returncode == 1
    assert f"may not write to {clone}" in done.stderr
    assert done.stderr.count("\n") == 1
