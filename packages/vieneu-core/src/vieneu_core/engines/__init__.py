"""Engines: speech models in one process, blocking, from text and voice to samples."""

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
    from vieneu_core.engines.registry import (
        AUTO_ENGINE,
        ENGINES,
        MODEL_ENGINES,
        EngineNeeds,
        best_engine,
        has_nvidia_gpu,
        is_installed,
        model_licences,
        model_option,
    )

__all__ = [
    "AUTO_ENGINE",
    "ENGINES",
    "MODEL_ENGINES",
    "Engine",
    "EngineFactory",
    "EngineInfo",
    "EngineMemory",
    "EngineNeeds",
    "LoadProgress",
    "Utterance",
    "best_engine",
    "has_nvidia_gpu",
    "is_installed",
    "model_licences",
    "model_option",
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
        "registry": (
            "AUTO_ENGINE",
            "ENGINES",
            "MODEL_ENGINES",
            "EngineNeeds",
            "best_engine",
            "has_nvidia_gpu",
            "is_installed",
            "model_licences",
            "model_option",
        ),
    },
)
