"""The command ``vieneu``. Light on purpose: it must be able to say that its extra is missing."""

from __future__ import annotations

import sys

from vieneu_core.errors import MissingExtraError

_EXTRA = {"typer", "rich"}


def main() -> None:
    """Run ``vieneu`` with the arguments of this process, and end it with an exit code."""
    try:
        from vieneu_core.cli.app import run
    except ModuleNotFoundError as err:
        if err.name is None or err.name.partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(f"vieneu: {MissingExtraError('The command vieneu', 'cli')}\n")
        sys.exit(3)
    sys.exit(run(sys.argv[1:]))
