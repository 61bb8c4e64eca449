"""Decides what may be stored: speech of the chosen backend and voice, as it was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vieneu_core.audio.pcm import Speaker
from vieneu_core.errors import BackendUnavailableError, BadAudioError, WatermarkUnavailableError
from vieneu_core.speech_cache.identity import Chosen, Identity, SpokenVoice
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.translatable import Translatable


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A sentence of a request that was looked up."""

    request: SynthesisRequest
    sentence: str
    identity: Identity | None
    """What the chosen backend speaks with; None where that was never known."""
    voice: SpokenVoice | None = None
    """None where the backend's default voice is not known yet."""
    speech: Speech | None = None
    """What was found."""


def refuse_fallback(speakers: Iterable[Speaker], chosen: Chosen) -> None:
    """Make sure that the chosen backend spoke.

    Raises:
        BackendUnavailableError: another one did.
    """
    if any(speaker.fallback or speaker.backend != chosen.name for speaker in speakers):
        raise BackendUnavailableError(
            Translatable("The selected backend {name} did not speak it.", name=chosen.name),
            backend=chosen.name,
        )


def speaking_identity(lookup: Lookup, chosen: Chosen, speech: Speech) -> Identity:
    """Return what spoke, as it was known before and after.

    Raises:
        BackendUnavailableError: another backend spoke, or the backend is not known, or changed.
        WatermarkUnavailableError: the watermark is missing that was asked for.
        BadAudioError: it is not the speech of one sentence.
    """
    refuse_fallback(speech.speakers, chosen)
    identity = chosen.identity
    heard = {(speaker.engine, speaker.model) for speaker in speech.speakers}
    if identity is None or lookup.identity is None:
        raise BackendUnavailableError(
            Translatable("The backend {name} does not name its model.", name=chosen.name),
            remedy="Its speech is not stored, as nobody could tell when the model changes.",
            backend=chosen.name,
        )
    if identity != lookup.identity or not heard <= _names(identity):
        raise BackendUnavailableError(
            Translatable("The backend {name} changed while it spoke.", name=chosen.name),
            backend=chosen.name,
        )
    if lookup.request.watermark and not all(s.watermarked for s in speech.speakers):
        raise WatermarkUnavailableError("The speech has no watermark; it is not stored.")
    if len(speech.speakers) != 1:
        raise BadAudioError("The speech is not that of one sentence; it is not stored.")
    return identity


def _names(identity: Identity) -> set[tuple[str, str]]:
    """Return what a speaker of this identity may name; an older server names no model."""
    return {(identity.engine, identity.model), (identity.engine, "")}


def heard_voice(lookup: Lookup, speech: Speech) -> str:
    """Return the id of the voice that is heard.

    Raises:
        BadAudioError: it is not the one that was asked for, or more than one.
    """
    voices = {speaker.voice for speaker in speech.speakers}
    request = lookup.request
    named = request.voice if request.reference is None else None
    if len(voices) != 1 or not {named} <= {*voices, None}:
        raise BadAudioError("The speech is not of the requested voice; it is not stored.")
    return voices.pop()
