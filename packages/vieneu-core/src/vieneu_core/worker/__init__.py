"""Worker: an engine in its own process."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.worker.spec import EngineSpec, RestartPolicy, WorkerTimes

__all__ = [
    "EngineSpec",
    "RestartPolicy",
    "WorkerTimes",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "spec": ("EngineSpec", "RestartPolicy", "WorkerTimes"),
    },
)
