"""Home Assistant integration of VieNeu Relay. A skeleton: there is nothing to call yet."""

from __future__ import annotations

__version__ = "0.1.0"
