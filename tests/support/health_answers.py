"""Bodies of ``GET /health``."""

from __future__ import annotations

from vieneu_core.backends.base import BackendState
from vieneu_core.wire.schemas import HealthAnswer


def health(**fields: object) -> HealthAnswer:
    return HealthAnswer.model_validate(
        {
            "status": "ok",
            "model_loaded": True,
            "uptime_seconds": 1.0,
            "version": "0.1.0",
            "wire_version": "1.0",
            "state": BackendState.READY,
            **fields,
        }
    )
