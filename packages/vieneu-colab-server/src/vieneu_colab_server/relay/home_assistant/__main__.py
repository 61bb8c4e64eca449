"""The command of the app: ``python -m vieneu_colab_server.relay.home_assistant``."""

from __future__ import annotations

from vieneu_core.cli.program import run_program

TYPE_CHECKING = False  # importing typing would delay the handling of signals
if TYPE_CHECKING:
    from vieneu_core.cli.program import Command


def main() -> None:
    """Run the command; until it serves, a signal ends it immediately."""
    run_program(_load, label="error", needs_stdout=False)


def _load() -> tuple[Command, int]:
    from vieneu_colab_server.cli import EXIT_CONFIGURATION
    from vieneu_colab_server.relay.home_assistant.start import run

    return run, EXIT_CONFIGURATION


if __name__ == "__main__":
    main()
