"""Start of a command of this package."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from vieneu_core.cli.program import run_program

TYPE_CHECKING = False  # importing typing would delay the handling of signals
if TYPE_CHECKING:
    from vieneu_core.cli.program import Command


def start_command(module: str) -> None:
    """Run a command; until it serves, a signal ends it immediately.

    Args:
        module: Name of the module whose ``run`` it is; imported once signals are handled.
    """
    run_program(partial(_load, module), label="error", needs_stdout=False)


def _load(module: str) -> tuple[Command, int]:
    from vieneu_colab_server.exit_codes import EXIT_CONFIGURATION

    return import_module(module).run, EXIT_CONFIGURATION
