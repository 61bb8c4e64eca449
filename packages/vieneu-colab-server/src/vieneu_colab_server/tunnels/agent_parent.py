"""Start of a tunnel's program that ends with the process that started it, even after SIGKILL.

On Linux a small Python program asks the kernel for a SIGKILL at the end of its parent
(prctl(2), PR_SET_PDEATHSIG) and becomes the agent by ``exec``; the request survives that. The
parent is the *thread* that starts it: call from a thread that lives as long as the tunnel.

Elsewhere (macOS, Windows) the agent starts directly, and outlives a program that is killed; one
that ends by itself ends it on every system.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

_BECOME = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the program that started this one has ended")
try:
    os.execv(sys.argv[2], sys.argv[2:])
except OSError as error:
    for stream in (1, 2):
        os.write(stream, f'lvl=crit err="exec: {error.strerror}"\\n'.encode())
    sys.exit(126)
"""
_NOT_STARTED = re.compile(r'err="?exec: ([^"]{1,200})')


def ends_with_parent(program: str) -> list[str]:
    """Return the first arguments of a command that runs a program as a child of this process."""
    if sys.platform != "linux":
        return [program]
    return [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), program]


def script_that_ends_with_parent(program: str, folder: Path) -> Path:
    """Write that command as a program of its own, for a library that starts one file.

    Raises:
        OSError: it cannot be written.
    """
    path = folder / "agent"
    path.write_text(f'#!/bin/sh\nexec {shlex.join(ends_with_parent(program))} "$@"\n', "utf-8")
    path.chmod(0o700)
    return path


def why_not_started(said: str) -> str:
    """Return why the kernel did not start the program, from its output; empty if it did."""
    found = _NOT_STARTED.search(said)
    return found[1] if found else ""
