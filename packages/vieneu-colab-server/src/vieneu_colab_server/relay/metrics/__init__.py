"""Metrics of the relay for Prometheus, and traces of its requests for OpenTelemetry.

Nothing here is at module level: each relay has a registry of its own.

Raises:
    MissingExtraError: prometheus-client is not installed (when this package is imported).
"""

from importlib.util import find_spec

from vieneu_core.errors import MissingExtraError

if find_spec("prometheus_client") is None:
    raise MissingExtraError("Prometheus", "metrics", package="vieneu-colab-server")
