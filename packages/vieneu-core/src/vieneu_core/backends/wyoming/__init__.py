"""Backend for a Wyoming server, such as the Piper app of Home Assistant."""

from vieneu_core.backends.wyoming.backend import WyomingBackend
from vieneu_core.backends.wyoming.connection import WyomingTimeouts

__all__ = ["WyomingBackend", "WyomingTimeouts"]
