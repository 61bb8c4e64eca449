"""Voices: named speakers, those of a model and those that an admin adds from a clip."""

from __future__ import annotations

from vieneu_core.voices.voice import Voice, choose_voice

__all__ = ["Voice", "choose_voice"]
