"""VieNeu Relay core: speech from a local engine or a remote server, whichever the admin chose.

Names are loaded when they are first used, so that ``import vieneu_core`` stays light. Every
failure is a class of `vieneu_core.errors`.
"""

from __future__ import annotations

from importlib import import_module

# Type checkers take it for true; the module typing takes longer to load than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.assembly import build_router
    from vieneu_core.audio.pcm import AudioChunk, Speaker
    from vieneu_core.backends.base import Backend, BackendState, Health, synthesize
    from vieneu_core.backends.local import LocalBackend
    from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts
    from vieneu_core.backends.scripted import ScriptedBackend
    from vieneu_core.config import Settings, load_settings, save_settings
    from vieneu_core.router import Mode, Router, RouterPolicy, RouterStatus
    from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest, collect
    from vieneu_core.voices import Voice
    from vieneu_core.worker.host import EngineSpec

__version__ = "0.1.0"

__all__ = [
    "AudioChunk",
    "Backend",
    "BackendState",
    "EngineSpec",
    "Health",
    "LocalBackend",
    "Mode",
    "ReferenceAudio",
    "RemoteBackend",
    "RemoteTimeouts",
    "Router",
    "RouterPolicy",
    "RouterStatus",
    "ScriptedBackend",
    "Settings",
    "Speaker",
    "Speech",
    "SynthesisRequest",
    "Voice",
    "build_router",
    "collect",
    "load_settings",
    "save_settings",
    "synthesize",
]

_NAMES_BY_MODULE = {
    "assembly": ("build_router",),
    "audio.pcm": ("AudioChunk", "Speaker"),
    "backends.base": ("Backend", "BackendState", "Health", "synthesize"),
    "backends.local": ("LocalBackend",),
    "backends.remote": ("RemoteBackend", "RemoteTimeouts"),
    "backends.scripted": ("ScriptedBackend",),
    "config": ("Settings", "load_settings", "save_settings"),
    "router": ("Mode", "Router", "RouterPolicy", "RouterStatus"),
    "synthesis": ("ReferenceAudio", "Speech", "SynthesisRequest", "collect"),
    "voices": ("Voice",),
    "worker.host": ("EngineSpec",),
}
_MODULE_OF = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, those not yet loaded included."""
    return sorted({*globals(), *__all__})
