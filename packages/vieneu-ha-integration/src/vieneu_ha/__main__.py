"""The command ``vieneu-ha``, also as ``python -m vieneu_ha``."""

from __future__ import annotations

import sys

from vieneu_core.cli.signals import end_at_once


def main() -> None:
    """Run the command and exit with its code; a signal ends it immediately."""
    end_at_once()

    from vieneu_core.cli.stdio import abandon_output, prepare_streams
    from vieneu_core.errors import OutputError
    from vieneu_ha import cli

    prepare_streams(needs_stdout=True)
    try:
        code = cli.main()
        sys.stdout.flush()
    except OutputError as error:
        sys.stderr.write(f"vieneu-ha: {error}\n")
        code = cli.EXIT_FAILED
    finally:
        abandon_output()
    sys.exit(code)


if __name__ == "__main__":
    main()
