"""Voices: presets of a model, and custom voices added from a clip."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.voices.catalogue import CustomVoice, VoiceCatalogue
    from vieneu_core.voices.reference import CheckedReference, read_reference
    from vieneu_core.voices.voice import Voice, choose_voice

__all__ = [
    "CheckedReference",
    "CustomVoice",
    "Voice",
    "VoiceCatalogue",
    "choose_voice",
    "read_reference",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "catalogue": ("CustomVoice", "VoiceCatalogue"),
        "reference": ("CheckedReference", "read_reference"),
        "voice": ("Voice", "choose_voice"),
    },
)
