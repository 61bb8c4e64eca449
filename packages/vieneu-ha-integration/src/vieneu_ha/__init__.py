"""Home Assistant integration of VieNeu Relay, and the command that puts it in place."""

from __future__ import annotations

__version__ = "0.1.0"
