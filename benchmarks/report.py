"""Results of benchmarks, and their table."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Self

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    part: str
    what: str
    measured: str
    against: str
    """What it is compared with, measured in the same run, or a limit that was set."""
    ratio: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What it was measured on, in words that name no machine."""

    cpu: str
    cores: int
    python: str
    load: float
    """Load average of the last minute before the run."""
    day: str

    @classmethod
    def here(cls) -> Self:
        """Describe this machine."""
        return cls(
            cpu=_cpu(),
            cores=os.cpu_count() or 1,
            python=platform.python_version(),
            load=os.getloadavg()[0],
            day=datetime.now(UTC).date().isoformat(),
        )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.machine()


def table(rows: list[Row], machine: Machine) -> str:
    """Return the table in Markdown, with its caption."""
    caption = (
        f"Measured {machine.day}: {machine.cpu}, {machine.cores} cores, Python {machine.python}; "
        f"load average before the run {machine.load:.1f}."
    )
    lines = [
        caption,
        "",
        "| Part | What | Measured | Against | Ratio |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {r.part} | {r.what} | {r.measured} | {r.against} | {r.ratio} |" for r in rows]
    return "\n".join(lines)


def written(readme: str, new: str) -> str:
    """Return the text of a README with a new table between its marks."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"The README has no place for the table between {BEGIN} and {END}.")
    return f"{head}{BEGIN}\n\n{new}\n\n{END}{tail}"


def percentile(values: list[float], nth: int) -> float:
    """Return the value that ``nth`` per cent of the values do not exceed."""
    return max(values) if nth == 100 else quantiles(values, n=100, method="inclusive")[nth - 1]


def ms(seconds: float) -> str:
    """Write a time in milliseconds, with three digits that count."""
    value = seconds * 1_000
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"


def times(a: float, b: float) -> str:
    """Write how many times ``b`` goes into ``a``."""
    ratio = a / b
    return f"{ratio:.0f} x" if ratio >= 100 else f"{ratio:.3g} x"
