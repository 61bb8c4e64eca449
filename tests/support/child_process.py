"""A child process that does not outlive its test."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from guard import GUARD_S

WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
for capability in (1, 2, 3):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER: root has them
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs what follows it as a user for whom the modes of files hold, also where root runs it."""

BEFORE_OUR_FIRST_LINE = re.compile(
    r"\AException ignored in: <function (_get_module_lock|_WeakValueDictionary)\b[^\n]*\n"
    r"Traceback[^\n]*\n"
    r'(  File "<frozen importlib\._bootstrap>"[^\n]*\n)+'
    r"KeyboardInterrupt: ?\n"
)
"""Python was importing when Ctrl-C came: it says that it drops the signal, and goes on.

Both functions are called back when an object is freed, where no exception can be raised.
"""


@contextmanager
def child(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process as `subprocess.Popen` does, and wait for its end.

    Where the test has failed inside, or the process does not end in time, it is killed:
    Popen's own context would wait for ever, so that not even the test's time limit ended it.

    Raises:
        subprocess.TimeoutExpired: it did not end by itself.
    """
    process = subprocess.Popen(command, **options)
    try:
        yield process
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait(GUARD_S)
    finally:
        process.kill()
        process.wait(GUARD_S)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def without_coverage(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which coverage does not measure a Python process.

    For a process that is interrupted at any moment: where the signal's exception is raised while
    coverage's tracer holds its lock (`Collector.lock_data`), nothing gives that lock back, and the
    process hangs at the next file that it comes to.
    """
    return {name: value for name, value in environ.items() if not name.startswith("COVERAGE")}
