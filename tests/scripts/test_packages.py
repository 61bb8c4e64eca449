"""What scripts/test says before it fetches and builds anything."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guard import GUARD_S
from programs import lone_path, put_program

ROOT = Path(__file__).parents[2]
INSTALL = """
say() { echo "$*"; }
source "$ROOT/scripts/packages.sh"
install_packages
"""


@pytest.mark.parametrize(
    ("has_compiler", "said"),
    [(False, "No C and C++ compiler"), (True, "about 5 minutes on two cores")],
)
def test_size_place_and_what_is_built_are_said_first(
    tmp_path: Path, said: str, *, has_compiler: bool
) -> None:
    programs = tmp_path / "programs"
    put_program(programs, "uv", "#!/bin/sh\necho uv fetches\n")
    (programs / "sed").symlink_to(str(shutil.which("sed")))
    for name in ("cc", "c++") if has_compiler else ():
        put_program(programs, name, "#!/bin/sh\n")
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    for each in ("uv.lock", "scripts/packages.sh"):
        shutil.copy(ROOT / each, clone / each)
    done = subprocess.run(
        ["bash", "-euc", INSTALL],
        cwd=clone,
        env={
            "PATH": lone_path(programs),
            "ROOT": str(clone),
            "UV": str(programs / "uv"),
            "PYTHON": sys.executable,
            "TORCH_CPU_INDEX": "http://127.0.0.1:9",
        },
        check=True,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )

    before, _, _ = done.stdout.partition("uv fetches")
    assert before != done.stdout
    assert f"All of it lands in {clone}" in before
    assert "Download: about 3.6 GB" in before
    assert "On the disk: about" in before
    assert said in before
