"""HTTP server for any `vieneu_core` backend: app, authentication, streaming, launch."""

from __future__ import annotations

from vieneu_core import __version__

__all__ = ["__version__"]
