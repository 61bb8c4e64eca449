"""Carries the component for Home Assistant, and puts it into a configuration."""

from __future__ import annotations

__version__ = "0.1.0"
