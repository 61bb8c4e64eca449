"""scripts/chromium, with programs that stand where a Chromium would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from guard import GUARD_S

SCRIPT = Path(__file__).parents[2] / "scripts/chromium"


def program(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)
    return path


def test_one_that_does_not_start_is_named_with_its_message(tmp_path: Path) -> None:
    complaint = "error while loading shared libraries: libpulsecommon-16.1.so"
    broken = program(tmp_path / "broken", f"echo '{complaint}' >&2", "exit 127")
    good = program(tmp_path / "chromium", "echo 'Chromium 150'")
    path = f"{tmp_path}:{os.environ['PATH']}"

    done = subprocess.run(
        [SCRIPT],
        env={**os.environ, "CHROMIUM": str(broken), "PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=GUARD_S,
    )

    assert f"{broken} does not start: {complaint}" in done.stderr
    assert Path(done.stdout.strip()).name == "chromium"
    assert done.stdout.strip() in {str(good), str(SCRIPT.parents[1] / ".tools/chromium/chromium")}


def test_libraries_in_a_folder_of_their_own_are_found(tmp_path: Path) -> None:
    below = tmp_path / "usr/lib/x86_64-linux-gnu"
    for library in ("libpulse.so.0", "pulseaudio/libpulsecommon-16.1.so"):
        (below / library).parent.mkdir(parents=True, exist_ok=True)
        (below / library).touch()
    (tmp_path / "usr/share").mkdir()
    (tmp_path / "usr/share/no-library.so").touch()

    source = SCRIPT.with_name("debian.sh")
    done = subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            'source "$1"; library_folders "$2"',
            "-",
            source,
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=GUARD_S,
    )

    assert done.stdout.strip().split(":") == [str(below), str(below / "pulseaudio")]
