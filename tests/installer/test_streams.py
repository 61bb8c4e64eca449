"""The command ``vieneu-ha`` with broken standard streams and signals, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from guard import GUARD_S


def in_shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, "-m", "vieneu_ha", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )


@pytest.mark.parametrize(
    ("redirect", "reported"),
    [
        (
            ">/dev/full",
            (
                "Standard output cannot be written: No space left on device. Free space on the"
                " disk, or send the output elsewhere."
            ),
        ),
        (">&-", "Standard output is closed. Send the output to a file, or to /dev/null."),
    ],
)
@pytest.mark.parametrize("command", ["install", "status", "--help"])
def test_an_output_that_takes_nothing_is_named(
    tmp_path: Path, command: str, redirect: str, reported: str
) -> None:
    (tmp_path / "configuration.yaml").touch()
    options = [] if command.startswith("--") else ["--config", str(tmp_path)]

    done = in_shell(f'"$@" {redirect}', command, *options)

    assert (done.returncode, done.stderr) == (3, f"vieneu-ha: {reported}\n")


def test_an_error_that_cannot_be_shown_has_its_exit_code(tmp_path: Path) -> None:
    for redirect in ("2>/dev/full", "2>&-", "<&- >&- 2>&-"):
        nowhere = str(tmp_path / "nowhere")
        assert in_shell(f'"$@" {redirect}', "install", "--config", nowhere).returncode == 3


def test_a_signal_while_it_starts_ends_it_without_a_traceback() -> None:
    done = in_shell('"$@" & sleep 0.05; kill -INT $!; wait $!', "status", "--config", "/nowhere")

    assert done.returncode in (3, 130), "it may have ended before"
    assert "Traceback" not in done.stderr
