"""The command ``vieneu-ha``, also as ``python -m vieneu_ha``."""

from __future__ import annotations

from vieneu_core.cli.program import run_program

TYPE_CHECKING = False  # importing typing would delay the handling of signals
if TYPE_CHECKING:
    from vieneu_core.cli.program import Command


def main() -> None:
    """Run the command and exit with its code; a signal ends it immediately."""
    run_program(_load, label="vieneu-ha", needs_stdout=True)


def _load() -> tuple[Command, int]:
    from vieneu_ha import cli

    return cli.main, cli.EXIT_FAILED


if __name__ == "__main__":
    main()
