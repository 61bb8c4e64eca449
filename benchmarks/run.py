"""Measure everything, and print it as a table: `python benchmarks/run.py [--write] [NAME ...]`.

Each benchmark is a module of this folder with a function ``measure``. They run one after the other
in this process; whatever is compared with each other is measured in turns within one of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from report import Machine, Row, table, written

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
BENCHMARKS = (
    "engines",
    "cpu_chain",
    "piper_engine",
    "engine_overhead",
    "generator_layers",
    "metrics_cost",
    "text_front_ends",
    "first_audio",
    "relay_overhead",
    "wire_bytes",
    "cache_hit",
    "mode_switch",
    "failover_cost",
    "loop_delay",
    "home_assistant_loop",
    "import_cost",
    "opus_cost",
)


def main() -> None:
    asked = _arguments()
    sys.path.insert(1, str(HERE.parent / "tests/support"))  # the tone engine and the server process
    machine = Machine.here()
    rows: list[Row] = []
    for name in asked.names or BENCHMARKS:
        began_s = time.monotonic()
        rows += import_module(name).measure()
        print(f"{name}: {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    print(table(rows, machine))
    if asked.write:
        README.write_text(written(README.read_text(), table(rows, machine)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + ", ".join(BENCHMARKS))
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHMARKS):
        parser.error("no such benchmark: " + ", ".join(sorted(unknown)))
    if asked.write and asked.names:
        parser.error("--write needs all of them: the table is that of one run")
    return asked


if __name__ == "__main__":
    main()
