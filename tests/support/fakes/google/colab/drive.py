"""Google Drive: here, nothing is mounted; it is told on standard output that it was asked for.

``COLAB_DRIVE_FAILED`` is the text with which mounting fails after access was given.
"""

from __future__ import annotations

import os
import sys

from google.colab import _message

__all__ = ["mount"]


def mount(
    mountpoint: str,
    force_remount: bool = False,
    timeout_ms: int = 120_000,
    readonly: bool = False,
) -> None:
    """Ask the owner for access, and mount the drive."""
    del force_remount, readonly
    if " " in mountpoint:
        raise ValueError("Mountpoint must not contain a space.")
    _message.blocking_request(
        "request_auth",
        request={"authType": "dfs_ephemeral"},
        timeout_sec=int(timeout_ms / 1000),
    )
    if failure := os.environ.get("COLAB_DRIVE_FAILED"):
        raise ValueError(failure)
    sys.stdout.write(f"Mounted at {mountpoint}\n")
