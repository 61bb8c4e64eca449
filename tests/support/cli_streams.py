"""``vieneu`` with redirected standard streams: in a process of its own, or in that of the test."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from child_process import without_coverage
from cli_here import run_here
from cli_sandbox import CliSandbox
from guard import GUARD_S


def run(
    sandbox: CliSandbox, command: Sequence[str], redirect: str = "", *, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", *command],
        # Coverage cannot write its own file either, and Python would leave half a .pyc behind.
        env=without_coverage(sandbox.environment({"PYTHONDONTWRITEBYTECODE": "1"})),
        cwd=cwd or sandbox.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
        errors="replace",
    )
    assert "Traceback" not in done.stderr
    assert "nexpected" not in done.stderr
    return done


def redirected(
    sandbox: CliSandbox, arguments: Sequence[str], redirect: str
) -> subprocess.CompletedProcess[str]:
    """Run ``vieneu`` in this process, its standard streams as a shell would redirect them."""
    with ExitStack() as stack:
        streams = {
            name: None if path == "&-" else stack.enter_context(io.FileIO(path, mode))
            for name, mode, path in map(_parts, redirect.split())
        }
        environ = sandbox.environment({})
        code, out, err = run_here(
            arguments, text=b"", environ=environ, home=sandbox.home, streams=streams
        )
    assert b"Traceback" not in err
    assert b"nexpected" not in err
    return subprocess.CompletedProcess(
        arguments, code, out.decode(errors="replace"), err.decode(errors="replace")
    )


def _parts(redirection: str) -> tuple[str, str, str]:
    """Return the stream, the mode of its file, and the file, of a redirection of the shell."""
    number, arrow, file = re.findall(r"([02]?)([<>])(.+)", redirection)[0]
    name = {"0": "stdin", "2": "stderr", "<": "stdin", ">": "stdout"}[number or arrow]
    return name, "w" if arrow == ">" else "r", file
