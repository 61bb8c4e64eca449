"""Test doubles of a backend, for tests of programs that use this package."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.testing.scripted import Record, ScriptedBackend, ScriptStep
    from vieneu_core.testing.tone import Tone, sentence_tone

__all__ = [
    "Record",
    "ScriptStep",
    "ScriptedBackend",
    "Tone",
    "sentence_tone",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "scripted": ("Record", "ScriptStep", "ScriptedBackend"),
        "tone": ("Tone", "sentence_tone"),
    },
)
