"""Models in one process: blocking, text and voice to samples. Run by the worker."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.engines.base import (
        Engine,
        EngineFactory,
        EngineInfo,
        EngineMemory,
        LoadProgress,
        Utterance,
    )
    from vieneu_core.engines.registry import ENGINES, MODEL_ENGINES, EngineNeeds, has_nvidia_gpu

__all__ = [
    "ENGINES",
    "MODEL_ENGINES",
    "Engine",
    "EngineFactory",
    "EngineInfo",
    "EngineMemory",
    "EngineNeeds",
    "LoadProgress",
    "Utterance",
    "has_nvidia_gpu",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "base": (
            "Engine",
            "EngineFactory",
            "EngineInfo",
            "EngineMemory",
            "LoadProgress",
            "Utterance",
        ),
        "registry": ("ENGINES", "MODEL_ENGINES", "EngineNeeds", "has_nvidia_gpu"),
    },
)
