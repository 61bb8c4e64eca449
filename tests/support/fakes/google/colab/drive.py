"""Google Drive: here, nothing is mounted; it is told on standard output that it was asked for."""

from __future__ import annotations

import sys


def mount(mountpoint: str) -> None:
    """Ask the owner for access, and mount the drive."""
    sys.stdout.write(f"Mounted at {mountpoint}\n")
