"""The programs of tunnel providers, stood in for."""

from __future__ import annotations

import sys
from pathlib import Path

_FAKES = Path(__file__).parent / "fakes"


def program(folder: Path, name: str) -> Path:
    """Make a stand-in, ``ngrok`` or ``cloudflared``, a program of its own; return its path."""
    path = folder / name
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_FAKES / name}.py" "$@"\n')
    path.chmod(0o755)
    return path
