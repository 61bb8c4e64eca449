"""Test imports in a separate process: an installed module may still be unusable.

A shared library may be missing (``libgomp.so.1`` for llama.cpp), or a dependency of the package.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

from vieneu_core.engines.load_failure import MAX_QUOTED_CHARS
from vieneu_core.text.clean import one_line

TIMEOUT_S = 10.0
"""Time limit for imports in seconds; PyTorch may exceed it on a busy machine."""
_PROGRAM = """
import importlib, os, sys
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a package prints is no answer
for name in sys.argv[1:]:
    print(name, end=": ", file=answer, flush=True)
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=answer, flush=True)
        os._exit(1)
    print(file=answer, flush=True)
os._exit(0)  # some libraries crash in their own clean-up
"""


def import_failure(modules: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> str:
    """Import modules, one after the other. Blocking.

    Args:
        modules: Their names.
        timeout_s: Time limit in seconds.

    Returns:
        The module that failed, and why; "" if none failed, or if the time limit was exceeded.
    """
    # -P: do not import from the current folder
    command = [sys.executable, "-P", "-c", _PROGRAM, *modules]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and names of modules that we know
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    if done.returncode == 0:
        return ""
    failed = one_line(done.stdout.decode(errors="replace").rpartition(": \n")[2])[:MAX_QUOTED_CHARS]
    if done.returncode < 0:
        return f"{failed} the process died ({signal.Signals(-done.returncode).name})"
    return failed
