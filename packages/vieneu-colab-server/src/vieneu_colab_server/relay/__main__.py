"""The command ``vieneu-relay``, also as ``python -m vieneu_colab_server.relay``."""

from __future__ import annotations

from vieneu_colab_server.program import start_command


def main() -> None:
    """Run the command, and exit."""
    start_command("vieneu_colab_server.relay.cli")


if __name__ == "__main__":
    main()
