"""Our log within Ray Serve, which has handlers for its own alone."""

from __future__ import annotations

import logging
import sys


def log_with_serve() -> None:
    """Write our lines to the files in which Serve keeps those of this replica.

    Outside of a replica nothing changes.
    """
    context = sys.modules.get("ray.serve.context")  # Serve loads it before a replica is made
    if context is None or context._get_internal_replica_context() is None:  # noqa: SLF001 - the public one raises instead
        return
    handlers = logging.getLogger("ray.serve").handlers
    for name in ("vieneu_core", "vieneu_colab_server"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.handlers = list(handlers)
