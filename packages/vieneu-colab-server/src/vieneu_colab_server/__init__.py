"""The HTTP face of a `vieneu_core` backend: app, authentication, streaming, launch."""

from __future__ import annotations

__version__ = "0.1.0"
