"""The command ``vieneu-relay``, also as ``python -m vieneu_colab_server.relay``."""

from __future__ import annotations

import sys

from vieneu_core.cli.signals import end_at_once


def main() -> None:
    """Run the command; until it serves, a signal ends it where it stands."""
    end_at_once()

    from vieneu_core.cli.stdio import abandon_output, prepare_streams
    from vieneu_core.errors import OutputError

    prepare_streams(needs_stdout=False)
    try:
        from vieneu_colab_server.cli import EXIT_CONFIGURATION
        from vieneu_colab_server.relay.cli import run

        run()
    except OutputError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(EXIT_CONFIGURATION)
    finally:
        abandon_output()


if __name__ == "__main__":
    main()
