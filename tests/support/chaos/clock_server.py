"""A server on a machine whose calendar can be set: ``python -m chaos.clock_server``.

The file in `OFFSET_FILE` has the seconds by which the machine's time is wrong; it is read whenever
the time is asked for.
"""

from __future__ import annotations

import os
import runpy
import time
from datetime import datetime, timedelta
from pathlib import Path

from vieneu_core.clock import SystemClock

MODULE = "chaos.clock_server"
OFFSET_FILE = "CHAOS_CLOCK_OFFSET_FILE"
_RIGHT_S, _RIGHT_NS, _RIGHT_NOW = time.time, time.time_ns, SystemClock.now


def offset_s() -> float:
    """Return by how much the machine's time is wrong."""
    try:
        return float(Path(os.environ[OFFSET_FILE]).read_text("ascii"))
    except FileNotFoundError:
        return 0.0


def set_offset(file: Path, offset: timedelta) -> None:
    """Make a machine's time wrong, at once and whole: the server may be reading it."""
    new = file.with_suffix(".new")
    new.write_text(str(offset.total_seconds()), "ascii")
    new.replace(file)


def _time() -> float:
    return _RIGHT_S() + offset_s()


def _time_ns() -> int:
    return _RIGHT_NS() + round(offset_s() * 1e9)


def _now(self: SystemClock) -> datetime:
    return _RIGHT_NOW(self) + timedelta(seconds=offset_s())


if __name__ == "__main__":
    time.time, time.time_ns = _time, _time_ns
    SystemClock.now = _now  # type: ignore[method-assign]  # the machine's time, not the server's code
    runpy.run_module("vieneu_colab_server", run_name="__main__", alter_sys=True)
