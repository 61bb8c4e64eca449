"""Values of labels: each one opens a time series, so they come from fixed lists only."""

from __future__ import annotations

from vieneu_colab_server.relay.metrics.measurement import NO_BACKEND
from vieneu_core.router import LAST_RESORT, ErrorReport, Mode

BACKENDS = (*(mode.value for mode in Mode), LAST_RESORT)
"""Names of all backends that a router may have."""
OTHER = "other"
"""Label of a backend that no router has."""
_NAMES = frozenset({*BACKENDS, NO_BACKEND})


def backend_label(name: str) -> str:
    """Return the label of a backend: its name, or ``other`` where a router has none such."""
    return name if name in _NAMES else OTHER


def flag_label(*, flag: bool) -> str:
    """Return the label of a yes or no, as Prometheus writes it."""
    return "true" if flag else "false"


def cause_label(cause: ErrorReport | None) -> str:
    """Return the code of an error, or ``none``."""
    return "none" if cause is None else cause.code
