"""Backends: local and remote speech synthesis behind one interface."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.backends.base import Backend, BackendState, Health, synthesize
    from vieneu_core.backends.lifetime import Lifetime
    from vieneu_core.backends.local import LocalBackend
    from vieneu_core.backends.reading import ReadingBackend
    from vieneu_core.backends.remote import (
        RemoteBackend,
        RemoteTimeouts,
        RetryPolicy,
        ServerAdmin,
    )
    from vieneu_core.backends.wyoming import WyomingBackend, WyomingTimeouts

__all__ = [
    "Backend",
    "BackendState",
    "Health",
    "Lifetime",
    "LocalBackend",
    "ReadingBackend",
    "RemoteBackend",
    "RemoteTimeouts",
    "RetryPolicy",
    "ServerAdmin",
    "WyomingBackend",
    "WyomingTimeouts",
    "synthesize",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "base": ("Backend", "BackendState", "Health", "synthesize"),
        "lifetime": ("Lifetime",),
        "local": ("LocalBackend",),
        "reading": ("ReadingBackend",),
        "remote": ("RemoteBackend", "RemoteTimeouts", "RetryPolicy", "ServerAdmin"),
        "wyoming": ("WyomingBackend", "WyomingTimeouts"),
    },
)
