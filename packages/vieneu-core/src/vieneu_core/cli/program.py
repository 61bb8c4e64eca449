"""Start of a command's process: signals, standard streams, and output that cannot be written.

Imported first by a command, so it imports almost nothing.
"""

from __future__ import annotations

import sys

from vieneu_core.cli.signals import end_at_once

TYPE_CHECKING = False  # importing typing takes longer than this whole module
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    Command = Callable[[], int | None]


def run_program(
    load: Callable[[], tuple[Command, int]], *, label: str, needs_stdout: bool
) -> NoReturn:
    """Run a command, and exit with its code. Until it handles signals, one ends it immediately.

    Args:
        load: Imports the command; returns it, with the exit code for output that cannot be written.
        label: What its error messages begin with.
        needs_stdout: As in `prepare_streams`.
    """
    end_at_once()

    from vieneu_core.cli.stdio import abandon_output, prepare_streams
    from vieneu_core.errors import OutputError

    prepare_streams(needs_stdout=needs_stdout)
    try:
        command, unwritable = load()
        try:
            code = command()
            sys.stdout.flush()
        except OutputError as error:
            sys.stderr.write(f"{label}: {error}\n")
            code = unwritable
    finally:
        abandon_output()
    sys.exit(code)
