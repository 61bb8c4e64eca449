"""Time and memory of importing the core, compared with an interpreter that does nothing.

Home Assistant imports an integration while it starts, on small machines. ``import vieneu_core``
must cost almost nothing (limit: 100 ms). The parts that the integration uses (router, local and
remote backend) and the command line are measured as well.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from statistics import median

from report import Row, ms, times

N_TURNS = 11
CASES = {
    "nothing": "pass",
    "`import vieneu_core`": "import vieneu_core",
    "router, local and remote backend": (
        "from vieneu_core import LocalBackend, RemoteBackend, Router"
    ),
    "command line": "import vieneu_core.cli.app",
}
# The peak that getrusage tells is inherited from the parent; this one is the process's own.
PEAK = "\nprint(next(x for x in open('/proc/self/status') if x.startswith('VmHWM')).split()[1])"


@dataclass
class Cost:
    """What one case took in each turn."""

    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


def measure() -> list[Row]:
    costs = {case: Cost() for case in CASES}
    for turn in range(N_TURNS + 1):
        for case, code in CASES.items():
            seconds, peak_mb = _run(code)
            if turn > 0:  # the first one fills the caches
                costs[case].seconds.append(seconds)
                costs[case].peak_mb.append(peak_mb)
    base = costs.pop("nothing")
    return [row for case, cost in costs.items() for row in _rows(case, cost, base)]


def _run(code: str) -> tuple[float, float]:
    """Return seconds from start to end of an interpreter, and its peak of memory in MB."""
    began_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + PEAK], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began_s, int(done.stdout) / 1_024


def _rows(case: str, cost: Cost, base: Cost) -> list[Row]:
    took_s, base_s = median(cost.seconds), median(base.seconds)
    peak_mb, base_mb = median(cost.peak_mb), median(base.peak_mb)
    return [
        Row(
            part="Import",
            what=f"{case}: time",
            measured=f"{ms(took_s)} ({ms(took_s - base_s)} more)",
            against=f"an interpreter that does nothing: {ms(base_s)}",
            ratio=times(took_s, base_s),
        ),
        Row(
            part="Import",
            what=f"{case}: memory",
            measured=f"{peak_mb:.1f} MB ({peak_mb - base_mb:.1f} MB more)",
            against=f"an interpreter that does nothing: {base_mb:.1f} MB",
            ratio=times(peak_mb, base_mb),
        ),
    ]
