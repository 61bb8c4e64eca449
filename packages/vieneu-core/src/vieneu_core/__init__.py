"""Core of VieNeu Relay: speech from a local engine or a remote server, chosen by the admin.

Names are loaded when they are first used, so that ``import vieneu_core`` stays light. Less common
names are exported by the public parts of the package: `vieneu_core.audio`, ``backends``,
``clock``, ``config``, ``credentials``, ``engines``, ``errors``, ``notebook``, ``pairing``,
``router``, ``synthesis``, ``testing``, ``text``, ``voices``, ``wire`` and ``worker``. Deeper
modules are private.
"""

from __future__ import annotations

import sys
from importlib import import_module

# Type checkers treat it as true; importing typing takes longer than this whole module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vieneu_core.audio.encode import AudioFormat, encode_stream
    from vieneu_core.audio.file import write_file
    from vieneu_core.audio.pcm import AudioChunk, Speaker
    from vieneu_core.backends.base import Backend, BackendState, Health, synthesize
    from vieneu_core.backends.local import LocalBackend
    from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts
    from vieneu_core.builder import build_router
    from vieneu_core.cache_builder import build_cached
    from vieneu_core.config import (
        CacheSettings,
        ColabSettings,
        FallbackSettings,
        LocalSettings,
        QuotaSettings,
        Settings,
        load_settings,
        save_settings,
    )
    from vieneu_core.errors import BackendError, ConfigurationError, RequestError, VieneuError
    from vieneu_core.router import (
        BackendLoading,
        BackendRecovered,
        BackendStateChanged,
        BackendStatus,
        BackendSwitched,
        BackendTooSlow,
        CircuitClosed,
        CircuitOpened,
        ErrorReport,
        FailedBack,
        FailedOver,
        LocalLost,
        Mode,
        QuotaWarning,
        RemoteLost,
        Router,
        RouterEvent,
        RouterPolicy,
        RouterStatus,
        SentenceSkipped,
        ServerOutdated,
        SessionExpired,
        SessionExpiring,
        SpokenByFallback,
        WorkerRestarted,
    )
    from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest, collect
    from vieneu_core.testing.scripted import ScriptedBackend
    from vieneu_core.voices import Voice
    from vieneu_core.worker.spec import EngineSpec

__version__ = "0.1.0"

__all__ = [
    "AudioChunk",
    "AudioFormat",
    "Backend",
    "BackendError",
    "BackendLoading",
    "BackendRecovered",
    "BackendState",
    "BackendStateChanged",
    "BackendStatus",
    "BackendSwitched",
    "BackendTooSlow",
    "CacheSettings",
    "CircuitClosed",
    "CircuitOpened",
    "ColabSettings",
    "ConfigurationError",
    "EngineSpec",
    "ErrorReport",
    "FailedBack",
    "FailedOver",
    "FallbackSettings",
    "Health",
    "LocalBackend",
    "LocalLost",
    "LocalSettings",
    "Mode",
    "QuotaSettings",
    "QuotaWarning",
    "ReferenceAudio",
    "RemoteBackend",
    "RemoteLost",
    "RemoteTimeouts",
    "RequestError",
    "Router",
    "RouterEvent",
    "RouterPolicy",
    "RouterStatus",
    "ScriptedBackend",
    "SentenceSkipped",
    "ServerOutdated",
    "SessionExpired",
    "SessionExpiring",
    "Settings",
    "Speaker",
    "Speech",
    "SpokenByFallback",
    "SynthesisRequest",
    "VieneuError",
    "Voice",
    "WorkerRestarted",
    "build_cached",
    "build_router",
    "collect",
    "encode_stream",
    "load_settings",
    "save_settings",
    "synthesize",
    "write_file",
]

_NAMES_BY_MODULE = {
    "builder": ("build_router",),
    "cache_builder": ("build_cached",),
    "audio.encode": ("AudioFormat", "encode_stream"),
    "audio.file": ("write_file",),
    "audio.pcm": ("AudioChunk", "Speaker"),
    "backends.base": ("Backend", "BackendState", "Health", "synthesize"),
    "backends.local": ("LocalBackend",),
    "backends.remote": ("RemoteBackend", "RemoteTimeouts"),
    "testing.scripted": ("ScriptedBackend",),
    "config": (
        "QuotaSettings",
        "CacheSettings",
        "ColabSettings",
        "FallbackSettings",
        "LocalSettings",
        "Settings",
        "load_settings",
        "save_settings",
    ),
    "errors": ("BackendError", "ConfigurationError", "RequestError", "VieneuError"),
    "router": (
        "BackendLoading",
        "BackendRecovered",
        "BackendStateChanged",
        "BackendStatus",
        "BackendSwitched",
        "BackendTooSlow",
        "QuotaWarning",
        "CircuitClosed",
        "CircuitOpened",
        "ErrorReport",
        "FailedBack",
        "FailedOver",
        "LocalLost",
        "Mode",
        "RemoteLost",
        "Router",
        "RouterEvent",
        "RouterPolicy",
        "RouterStatus",
        "SentenceSkipped",
        "ServerOutdated",
        "SessionExpired",
        "SessionExpiring",
        "SpokenByFallback",
        "WorkerRestarted",
    ),
    "synthesis": ("ReferenceAudio", "Speech", "SynthesisRequest", "collect"),
    "voices": ("Voice",),
    "worker.spec": ("EngineSpec",),
}


def lazy_names(
    package: str, names_by_module: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package that loads names on first use.

    Lazy imports (PEP 562) for this package and its public parts.

    Args:
        package: ``__name__`` of the package.
        names_by_module: Public names by the submodule that defines them.
    """
    module_of = {name: module for module, names in names_by_module.items() for name in names}
    namespace = sys.modules[package].__dict__

    def load(name: str) -> object:
        module = module_of.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{module}"), name)
        namespace[name] = value
        return value

    def names() -> list[str]:
        return sorted({*namespace, *module_of})

    return load, names


__getattr__, __dir__ = lazy_names(__name__, _NAMES_BY_MODULE)
