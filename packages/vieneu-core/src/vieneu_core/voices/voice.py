"""Voices as users see them, independent of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vieneu_core.arguments import check_fields
from vieneu_core.errors import VoiceNotFoundError
from vieneu_core.translatable import Translatable


@dataclass(frozen=True, slots=True)
class Voice:
    """A named speaker identity."""

    id: str
    """Stable id that requests use, for example ``vi-north``."""
    name: str
    """Name for people."""
    language: str
    """Language tag: ``vi`` or ``en``."""

    def __post_init__(self) -> None:
        check_fields(self)


def choose_voice(
    voices: Sequence[Voice], voice_id: str | None, language: str, *, where: str
) -> Voice:
    """Return the requested voice, or the first one of the language (else the first of all).

    Raises:
        VoiceNotFoundError: ``voice_id`` is not among ``voices``; the message lists them.
    """
    if voice_id is None:
        primary = language.split("-", maxsplit=1)[0].lower()
        return next((v for v in voices if v.language.split("-")[0] == primary), voices[0])
    for voice in voices:
        if voice.id == voice_id:
            return voice
    known = ", ".join(v.id for v in voices)
    raise VoiceNotFoundError(
        Translatable(
            "{where} has no voice {voice_id!r}. It has: {known}.",
            where=where,
            voice_id=voice_id,
            known=known,
        )
    )
