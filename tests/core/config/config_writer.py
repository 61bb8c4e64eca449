"""Writes settings for ever, until it is killed; one line on stdout before the first write."""

from __future__ import annotations

import sys
from pathlib import Path

from vieneu_core.config import save_settings


def main(path: Path) -> None:
    number = 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        number += 1
        name = "a" if number % 2 else "b" * 4000
        save_settings({"local.voice": name, "colab.auth_token": f"{name[:1]}{number}"}, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
