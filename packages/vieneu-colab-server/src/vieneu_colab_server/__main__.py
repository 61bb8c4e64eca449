"""``python -m vieneu_colab_server`` is the command ``vieneu-server``."""

from __future__ import annotations

from vieneu_colab_server.cli import main

main()
