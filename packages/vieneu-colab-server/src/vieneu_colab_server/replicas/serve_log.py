"""Our log within Ray Serve, which has handlers for its own alone."""

from __future__ import annotations

import logging


def log_with_serve() -> None:
    """Write our lines to the files in which Serve keeps those of this replica."""
    handlers = logging.getLogger("ray.serve").handlers
    for name in ("vieneu_core", "vieneu_colab_server"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.handlers = list(handlers)
