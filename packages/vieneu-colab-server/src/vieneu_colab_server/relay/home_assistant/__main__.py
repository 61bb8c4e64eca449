"""The command of the app: ``python -m vieneu_colab_server.relay.home_assistant``."""

from __future__ import annotations

from vieneu_colab_server.program import start_command


def main() -> None:
    """Run the command, and exit."""
    start_command("vieneu_colab_server.relay.home_assistant.start")


if __name__ == "__main__":
    main()
