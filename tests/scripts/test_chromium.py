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
