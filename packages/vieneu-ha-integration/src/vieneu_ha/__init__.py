"""Contains the component for Home Assistant, and installs it into a configuration."""

from __future__ import annotations

from vieneu_core import __version__

__all__ = ["__version__"]
